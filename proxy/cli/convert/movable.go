package convert

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// movable refuses values that mean something else for the plugin than for Argo
// CD. Their forms have been checked. Build variables ($ARGOCD_APP_NAME) move: both
// replace them in the same settings.
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
	case kind == parameters.Kustomization && field.key.Value == parameters.Components:
		m.components(path, field.value)
	}
}

// reference is how a file of another source is named, $ref/path (argo-cd,
// reposerver/repository, getReferencedSource).
var reference = regexp.MustCompile(`^\$\{?([^/{}]*)`)

func (m *move) file(path, name string) {
	address, err := url.Parse(name)
	ref := reference.FindStringSubmatch(name)
	switch {
	case ref != nil && !slices.Contains(parameters.BuildVariables(), ref[1]):
		m.refuse(path, fmt.Sprintf("it is a file of another source (ref: %s), and a plugin sees its own repository alone", ref[1]),
			"copy the file into the repository of the chart, or write its values into values")
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
