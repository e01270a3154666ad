package convert

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// movable refuses values that mean something else for the plugin than for Argo
// CD. Their forms have been checked.
//
// In a chart's parameters and the names of its files Argo CD replaces $NAME by
// the build environment (argo-cd, reposerver/repository, helmTemplate), and the
// plugin does not. In a kustomization both do.
func (m *move) movable(kind parameters.Kind, path string, field entry) {
	switch {
	case kind == parameters.Chart && field.key.Value == parameters.ValueFiles:
		for i, file := range field.value.Content {
			m.file(fmt.Sprintf("%s[%d]", path, i), file.Value)
		}
	case kind == parameters.Chart && field.key.Value == parameters.SetFile:
		for i, item := range field.value.Content {
			m.file(fmt.Sprintf("%s[%d].path", path, i), textOf(item, "path"))
		}
	case kind == parameters.Chart && field.key.Value == parameters.Set:
		for i, item := range field.value.Content {
			if value := textOf(item, "value"); strings.Contains(value, "$") {
				m.refuse(fmt.Sprintf("%s[%d].value", path, i), "Argo CD replaces "+variable(value)+" there, and the plugin does not",
					"write the value out, or take it from a value file")
			}
		}
	case kind == parameters.Kustomization && field.key.Value == parameters.Components:
		m.components(path, field.value)
	}
}

// variables are what Argo CD replaces.
var variables = regexp.MustCompile(`\$(?:\{[^}]*\}?|\w+|.?)`)

func variable(value string) string { return variables.FindString(value) }

// reference is how a file of another source is named, $ref/path.
var reference = regexp.MustCompile(`^\$([^/]+)/`)

func (m *move) file(path, name string) {
	address, err := url.Parse(name)
	ref := reference.FindStringSubmatch(name)
	switch {
	case ref != nil && !strings.HasPrefix(ref[1], "ARGOCD_") && !strings.HasPrefix(ref[1], "{"):
		m.refuse(path, fmt.Sprintf("it is a file of the source with ref: %s, and a plugin sees its own repository alone", ref[1]),
			"copy the file into the repository of the chart, or write its values into values")
	case strings.Contains(name, "$"):
		m.refuse(path, "Argo CD replaces "+variable(name)+" there, and the plugin does not", "write the name out")
	case err == nil && address.Scheme != "":
		m.refuse(path, networkReason, "copy the file into the repository")
	case strings.ContainsAny(name, "*?["):
		m.refuse(path, "it is a pattern, and the plugin takes names", "write each file out")
	}
}

// components of an Application may be remote. Those of kustomizations are found
// in a clone alone.
func (m *move) components(path string, list *yaml.Node) {
	for i, component := range list.Content {
		if isAddress(component.Value) {
			m.refuse(fmt.Sprintf("%s[%d]", path, i), networkReason, vendorRemedy)
		}
	}
}

const (
	networkReason = "it is fetched over the network, which a render does not reach"
	vendorRemedy  = "vendor it"
)

// addresses are how remote bases are written mostly. That all of them are refused
// is the plugin's to see to; here they choose the words.
var addresses = regexp.MustCompile(`://|[?&](?:ref|version)=|^[\w-]+@|^github\.com[/:]`)

func isAddress(name string) bool { return addresses.MatchString(name) }

// shown returns an address without a user, a password and a query.
func shown(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	authority, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority[strings.LastIndex(authority, "@")+1:] + "/" + path
}
