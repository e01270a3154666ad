package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// settings are those of one Application, from spec.source.plugin.parameters.
type settings struct {
	allowUnpinned bool
	strict        bool
	imagePaths    []pin.Path
	chart         chartSettings
	kustomize     kustomizeSettings
	directory     render.DirectoryOptions
}

// definition is one parameter of package parameters: what Argo CD's parameters
// tab shows of it, and what it sets. Announcing and reading both go by it.
type definition struct {
	name    string
	title   string
	tooltip string
	// set takes the value over. Nil for what is announced to be read only.
	set func(*settings, value) error
}

// definitions are the parameters of a kind of source, and those that only tell,
// in the order of the tab. A function makes them, since a variable would cost
// each start the parameters of all kinds.
func definitions(kind parameters.Kind) []definition {
	all := commonDefinitions()
	switch kind {
	case parameters.Kustomization:
		all = append(all, kustomizeDefinitions()...)
	case parameters.Chart:
		all = append(all, chartDefinitions()...)
	case parameters.Plain:
		all = append(all, directoryDefinitions()...)
	}
	return all
}

// inWords names what the path of a source of a kind holds.
func inWords(kind parameters.Kind) string {
	switch kind {
	case parameters.Kustomization:
		return "a kustomization"
	case parameters.Chart:
		return "a Helm chart"
	default:
		return "plain manifests"
	}
}

// commonDefinitions are the parameters that every kind of source takes.
func commonDefinitions() []definition {
	return []definition{
		{
			name: parameters.Freight, title: "Freight",
			tooltip: "What was promoted into this Application. To change it, promote.",
		},
		{
			name: parameters.Pins, title: "Pins",
			tooltip: "The images, commits and charts of the freight. To change them, promote.",
		},
		{
			name: parameters.Unpinned, title: "Without a waybill",
			tooltip: `"allow" renders the manifests as they are until the first promotion. Empty refuses.`,
			set: func(p *settings, v value) error {
				text, err := v.oneOf("allow")
				p.allowUnpinned = text == "allow"
				return err
			},
		},
		{
			name: parameters.Strict, title: "Strict",
			tooltip: `"true" refuses manifests with an image that no freight pins.`,
			set: func(p *settings, v value) (err error) {
				p.strict, err = v.boolean()
				return err
			},
		},
		{
			name: parameters.ImagePaths, title: "Image paths",
			tooltip: "Where images stand in custom resources beside containers: Kind.group:path.to[*].image",
			set: func(p *settings, v value) error {
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
func parseParameters(text string, kind parameters.Kind) (settings, error) {
	var p settings
	if text == "" {
		return p, nil
	}
	if len(text) > parameters.MaxSize {
		return p, refusal.New(fmt.Sprintf("its plugin parameters are larger than %d bytes", parameters.MaxSize), "write less of them")
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
func unknown(name string, kind parameters.Kind) error {
	var takers []string
	for _, other := range parameters.Kinds() {
		if _, found := parameters.FormOf(other, name); found {
			takers = append(takers, inWords(other))
		}
	}
	if len(takers) > 0 {
		return refusal.New(fmt.Sprintf("it sets the plugin parameter %s, which is for %s, and its path holds %s",
			name, strings.Join(takers, " or "), inWords(kind)), "remove it")
	}
	return refusal.New(fmt.Sprintf("there is no plugin parameter %q", name),
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
