package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// The parameters that an Application may set in spec.source.plugin.parameters.
const (
	// parameterUnpinned says what to do without a waybill: "allow" renders the
	// manifests as they are.
	parameterUnpinned = "unpinned"
	// parameterStrict, when "true", refuses any image that no freight pins.
	parameterStrict = "strict"
	// parameterImagePaths names further places of images, see [pin.Path].
	parameterImagePaths = "imagePaths"
)

// Announced to be read in Argo CD's parameters tab; to set them means nothing.
const (
	parameterFreight = "freight"
	parameterPins    = "pins"
)

const maxParameters = 128 << 10 // Linux passes no longer variable

// parameters are the settings of one Application.
type parameters struct {
	allowUnpinned bool
	strict        bool
	imagePaths    []pin.Path
}

// parameter is one entry of ARGOCD_APP_PARAMETERS.
type parameter struct {
	Name   string            `json:"name"`
	String *string           `json:"string"`
	Array  []string          `json:"array"`
	Map    map[string]string `json:"map"`
}

// parseParameters reads ARGOCD_APP_PARAMETERS, which is empty or "null" for an
// Application without any.
func parseParameters(text string) (parameters, error) {
	var p parameters
	if text == "" {
		return p, nil
	}
	if len(text) > maxParameters {
		return p, refusal.New(fmt.Sprintf("its plugin parameters are larger than %d KiB", maxParameters>>10), "name fewer image paths")
	}
	var all []parameter
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return p, refusal.New("its plugin parameters are no list of {name, string|array|map}", "mend spec.source.plugin.parameters")
	}
	seen := map[string]bool{}
	for _, given := range all {
		if seen[given.Name] {
			return p, refusal.New(fmt.Sprintf("it sets the plugin parameter %s twice", given.Name), "keep one")
		}
		seen[given.Name] = true
		if err := p.set(given); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *parameters) set(given parameter) error {
	switch given.Name {
	case parameterUnpinned:
		value, err := given.text("allow")
		p.allowUnpinned = value == "allow"
		return err
	case parameterStrict:
		value, err := given.text("true", "false")
		p.strict = value == "true"
		return err
	case parameterImagePaths:
		if given.String != nil || given.Map != nil {
			return refusal.New("its plugin parameter imagePaths is no list", "write array: [\"Kind.group:path.to.image\"]")
		}
		for _, text := range given.Array {
			path, err := pin.ParsePath(text)
			if err != nil {
				return err
			}
			p.imagePaths = append(p.imagePaths, path)
		}
		return nil
	case parameterFreight, parameterPins:
		return refusal.New(fmt.Sprintf("it sets the plugin parameter %s, which only tells what was promoted", given.Name),
			"remove it and promote instead")
	}
	return refusal.New(fmt.Sprintf("it sets the plugin parameter %q, which Waybill does not know", given.Name),
		"use "+strings.Join([]string{parameterUnpinned, parameterStrict, parameterImagePaths}, ", "))
}

// text returns a value that must be one of those allowed, or empty.
func (p parameter) text(allowed ...string) (string, error) {
	if p.String != nil && p.Array == nil && p.Map == nil {
		for _, value := range append(allowed, "") {
			if *p.String == value {
				return value, nil
			}
		}
	}
	want := strings.Join(allowed, " or ")
	return "", refusal.New(fmt.Sprintf("its plugin parameter %s is not %s", p.Name, want), "set string: "+want+", or remove it")
}
