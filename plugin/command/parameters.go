package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

const maxParameters = 128 << 10 // Linux passes no longer variable

// parameters are the settings of one Application, from
// spec.source.plugin.parameters.
type parameters struct {
	allowUnpinned bool
	strict        bool
	imagePaths    []pin.Path
	chart         chartParameters
	kustomize     kustomizeParameters
	directory     render.DirectoryOptions
}

// definition is one parameter: what Argo CD's parameters tab shows of it, and
// what it sets. Announcing and reading both go by it.
type definition struct {
	name    string
	title   string
	tooltip string
	// form is how its value is written.
	form form
	// initial is what the tab shows where the Application sets nothing.
	initial string
	// set takes the value over. Nil for what is announced to be read only.
	set func(*parameters, value) error
}

// form is Argo CD's collectionType, and its itemType for one that is no text.
type form struct{ collection, item string }

var (
	aText    = form{collection: "string"}
	aBoolean = form{collection: "string", item: "boolean"}
	aList    = form{collection: "array"}
	aMap     = form{collection: "map"}
)

// The names that more than one place knows.
const (
	// parameterFreight and parameterPins tell what was promoted. To set them
	// means nothing.
	parameterFreight  = "freight"
	parameterPins     = "pins"
	parameterUnpinned = "unpinned"
	parameterStrict   = "strict"
	// parameterImagePaths names further places of images, see [pin.Path].
	parameterImagePaths = "imagePaths"
)

// definitions are the parameters that a kind of source takes.
func definitions(kind render.Kind) []definition {
	return append(commonDefinitions(), kindDefinitions[kind]...)
}

// kindDefinitions are the parameters that one kind of source takes alone.
var kindDefinitions = map[render.Kind][]definition{
	render.Kustomization: kustomizeDefinitions,
	render.Chart:         chartDefinitions,
	render.Plain:         directoryDefinitions,
}

// inWords names what the path of a source of each kind holds.
var inWords = map[render.Kind]string{
	render.Kustomization: "a kustomization",
	render.Chart:         "a Helm chart",
	render.Plain:         "plain manifests",
}

// commonDefinitions are the parameters that every kind of source takes.
func commonDefinitions() []definition {
	return []definition{
		{
			name: parameterFreight, title: "Freight", form: aText,
			tooltip: "What was promoted into this Application. To change it, promote.",
		},
		{
			name: parameterPins, title: "Pins", form: aMap,
			tooltip: "The images, commits and charts of the freight. To change them, promote.",
		},
		{
			name: parameterUnpinned, title: "Without a waybill", form: aText,
			tooltip: `"allow" renders the manifests as they are until the first promotion. Empty refuses.`,
			set: func(p *parameters, v value) error {
				text, err := v.oneOf("allow")
				p.allowUnpinned = text == "allow"
				return err
			},
		},
		{
			name: parameterStrict, title: "Strict", form: aBoolean, initial: "false",
			tooltip: `"true" refuses manifests with an image that no freight pins.`,
			set: func(p *parameters, v value) (err error) {
				p.strict, err = v.boolean()
				return err
			},
		},
		{
			name: parameterImagePaths, title: "Image paths", form: aList,
			tooltip: "Where images stand in custom resources beside containers: Kind.group:path.to[*].image",
			set: func(p *parameters, v value) error {
				list, err := v.list(`["Kind.group:path.to.image"]`)
				for _, text := range list {
					path, err := pin.ParsePath(text)
					if err != nil {
						return err
					}
					p.imagePaths = append(p.imagePaths, path)
				}
				return err
			},
		},
	}
}

// parseParameters reads ARGOCD_APP_PARAMETERS, which is empty or "null" for an
// Application without any. kind is what the Application's path holds.
func parseParameters(text string, kind render.Kind) (parameters, error) {
	var p parameters
	if text == "" {
		return p, nil
	}
	if len(text) > maxParameters {
		return p, refusal.New(fmt.Sprintf("its plugin parameters are larger than %d KiB", maxParameters>>10), "write less of them")
	}
	var all []value
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return p, refusal.New("its plugin parameters are no list of {name, string|array|map}", "mend spec.source.plugin.parameters")
	}
	known := definitions(kind)
	seen := map[string]bool{}
	for _, given := range all {
		if seen[given.Name] {
			return p, refusal.New(fmt.Sprintf("it sets the plugin parameter %s twice", given.Name), "keep one")
		}
		seen[given.Name] = true
		i := slices.IndexFunc(known, func(d definition) bool { return d.name == given.Name })
		switch {
		case i < 0:
			return p, unknown(given.Name, kind)
		case known[i].set == nil:
			return p, refusal.New(fmt.Sprintf("it sets the plugin parameter %s, which only tells what was promoted", given.Name),
				"remove it and promote instead")
		}
		if err := known[i].set(&p, given); err != nil {
			return p, err
		}
	}
	return p, nil
}

// unknown refuses a parameter that the kind of source does not take.
func unknown(name string, kind render.Kind) error {
	var takers []string
	for _, other := range slices.Sorted(maps.Keys(kindDefinitions)) {
		if slices.ContainsFunc(kindDefinitions[other], func(d definition) bool { return d.name == name }) {
			takers = append(takers, inWords[other])
		}
	}
	if len(takers) > 0 {
		return refusal.New(fmt.Sprintf("it sets the plugin parameter %s, which is for %s, and its path holds %s",
			name, strings.Join(takers, " or "), inWords[kind]), "remove it")
	}
	return refusal.New(fmt.Sprintf("it sets the plugin parameter %q, which Waybill does not know", name),
		"use "+strings.Join(settable(definitions(kind)), ", "))
}

func settable(all []definition) []string {
	var names []string
	for _, d := range all {
		if d.set != nil {
			names = append(names, d.name)
		}
	}
	return names
}
