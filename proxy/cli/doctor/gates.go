package doctor

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/identity"
)

const (
	// gatesSecret is the name of both Secrets with the gates' secrets.
	gatesSecret = "waybill-gates"
	// proxyName is the proxy's Deployment, Service and Lease.
	proxyName = "waybill-proxy"

	labelPartOf = "app.kubernetes.io/part-of"

	// The keys of argocd-cm for proxy extensions (argo-cd, util/settings).
	keyExtensionList   = "extension.config"
	keyExtensionPrefix = "extension.config."
)

// backend is the configuration of one proxy extension (argo-cd,
// server/extension, BackendConfig).
type backend struct {
	Services []struct {
		URL     string `json:"url"`
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
	} `json:"services"`
}

// gatesOf returns the gates that this installation needs: those that it has from
// birth, and those that pipelines name.
func gatesOf(in Installation) []string {
	names := map[string]bool{pipeline.GateRead: true, pipeline.GatePromote: true, pipeline.GateApprove: true}
	for _, p := range documents(in) {
		for _, gate := range []string{p.document.Gates.Promote, p.document.Gates.Approve} {
			if gate != "" {
				names[gate] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// gates looks at argocd-cm and at the Secrets: each gate is a proxy extension
// whose calls carry a secret that the proxy knows.
func gates(in Installation) []finding.Finding {
	l := finding.For(CheckGates)
	if in.Settings.Err == nil {
		references := map[string]string{}
		for _, gate := range gatesOf(in) {
			if reference := extension(l, in, gate); reference != "" {
				if other, shared := references[reference]; shared {
					l.Fail(makeExtension(in, gate), "gates %s and %s carry the same secret, so that whoever passes one passes both", other, gate)
				}
				references[reference] = gate
			}
		}
		twice(l, in)
	}
	secrets(l, in)
	if in.Settings.ok() {
		change := in.Settings.Value.Meta.changed(extensionKeys(in)...)
		if secret := in.GatesOfArgo.Value.Meta.changed(in.GatesOfArgo.Value.gates()...); secret.After(change) {
			// A change of argocd-cm is read at once, one of the Secret is not.
			stale(l, in.Pods, serverName, secret, in, "Secret "+in.ArgoCDNamespace+"/"+gatesSecret)
		}
	}
	stale(l, in.OwnPods, proxyName, in.GatesOfWaybill.Value.Meta.changed(in.GatesOfWaybill.Value.gates()...), in, "Secret "+in.Namespace+"/"+gatesSecret)
	return l.All()
}

func extensionKeys(in Installation) []string {
	var keys []string
	for _, gate := range gatesOf(in) {
		keys = append(keys, keyExtensionPrefix+gate)
	}
	return keys
}

// extension looks at the configuration of one gate and returns what its secret
// header refers to.
func extension(l *finding.List, in Installation, gate string) (reference string) {
	text, configured := in.Settings.Value.Data[keyExtensionPrefix+gate]
	if !configured {
		l.Fail(makeExtension(in, gate), "gate %s is no proxy extension: argocd-cm has no %s%s", gate, keyExtensionPrefix, gate)
		return ""
	}
	var b backend
	if err := yaml.Unmarshal([]byte(text), &b); err != nil || len(b.Services) == 0 {
		l.Fail(makeExtension(in, gate), "%s%s is not what Argo CD reads, which then serves no extension at all: want services, each with url and headers", keyExtensionPrefix, gate)
		return ""
	}
	for _, service := range b.Services {
		u, err := url.Parse(service.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			l.Fail(makeExtension(in, gate), "gate %s has no URL of a service, but %s", gate, quoted(service.URL))
			continue
		}
		if namespace, ours := serviceNamespace(u.Hostname()); ours && namespace != in.Namespace {
			l.Fail(makeExtension(in, gate)+", or name the other namespace with --namespace", "gate %s leads to %s, and Waybill's namespace is %s", gate, u.Host, in.Namespace)
		}
		var values []string
		for _, h := range service.Headers {
			if strings.EqualFold(h.Name, identity.HeaderSecret) {
				values = append(values, h.Value)
			}
		}
		if len(values) != 1 {
			l.Fail(makeExtension(in, gate), "gate %s sets the header %s %d times, not once, so that the proxy refuses every call", gate, identity.HeaderSecret, len(values))
			continue
		}
		reference = values[0]
		if refers(l, in, gate, reference) {
			l.OK("gate %s leads to %s and carries its secret", gate, u.Host)
		}
	}
	return reference
}

// serviceNamespace returns the namespace of the proxy's Service, where a host is
// one.
func serviceNamespace(host string) (namespace string, ok bool) {
	rest, ok := strings.CutPrefix(host, proxyName+".")
	namespace, _, _ = strings.Cut(rest, ".")
	return namespace, ok
}

// refers tells whether the header's value is a reference that Argo CD resolves
// to the gate's own secret.
func refers(l *finding.List, in Installation, gate, value string) bool {
	secret, key, found := strings.Cut(strings.TrimPrefix(value, "$"), ":")
	switch {
	case !strings.HasPrefix(value, "$"):
		l.Fail(makeExtension(in, gate), "the secret of gate %s stands in argocd-cm itself, where others may read it", gate)
	case !found || secret != gatesSecret:
		l.Warn(makeExtension(in, gate)+", unless that is your own arrangement", "the secret of gate %s is taken from another Secret than %s, which was not looked at", gate, gatesSecret)
		return true
	case in.GatesOfArgo.Err != nil:
		return true
	case in.GatesOfArgo.Missing:
		// secrets tells it.
		return false
	case !slices.Contains(in.GatesOfArgo.Value.gates(), key):
		l.Fail(makeGates(in), "gate %s refers to key %s of Secret %s/%s, which is not there: Argo CD sends the reference itself", gate, quoted(key), in.ArgoCDNamespace, gatesSecret)
	case key != gate:
		l.Fail(makeExtension(in, gate), "gate %s carries the secret of gate %s", gate, key)
	default:
		return true
	}
	return false
}

// twice tells of a gate that is configured in both forms, for which Argo CD
// rejects all extensions.
func twice(l *finding.List, in Installation) {
	text, has := in.Settings.Value.Data[keyExtensionList]
	if !has {
		return
	}
	var list struct {
		Extensions []struct {
			Name string `json:"name"`
		} `json:"extensions"`
	}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		l.Fail("mend it, or move each extension to a key "+keyExtensionPrefix+"<name>", "argocd-cm's %s is not what Argo CD reads, which then serves no extension at all", keyExtensionList)
		return
	}
	for _, e := range list.Extensions {
		if _, again := in.Settings.Value.Data[keyExtensionPrefix+e.Name]; again {
			l.Fail("remove it from "+keyExtensionList, "extension %s is configured twice, in %s and in %s%s, so that Argo CD serves none at all", e.Name, keyExtensionList, keyExtensionPrefix, e.Name)
		}
	}
}

// secrets compares the two Secrets, by hashes.
func secrets(l *finding.List, in Installation) {
	argo, own := in.GatesOfArgo, in.GatesOfWaybill
	for _, side := range []struct {
		part      Part[GateSecret]
		namespace string
	}{{argo, in.ArgoCDNamespace}, {own, in.Namespace}} {
		switch {
		case side.part.Missing:
			l.Fail(makeGates(in), "there is no Secret %s/%s", side.namespace, gatesSecret)
		case side.part.Err == nil && side.part.Value.Problem != "":
			l.Fail(makeGates(in), "Secret %s/%s: %s", side.namespace, gatesSecret, side.part.Value.Problem)
		}
	}
	if argo.ok() && argo.Value.Meta.Labels[labelPartOf] != "argocd" {
		l.Fail("kubectl label -n "+in.ArgoCDNamespace+" secret "+gatesSecret+" "+labelPartOf+"=argocd && "+restart(in, serverName),
			"Secret %s/%s lacks the label %s: argocd, without which Argo CD does not read it", in.ArgoCDNamespace, gatesSecret, labelPartOf)
	}
	if !argo.ok() || !own.ok() {
		return
	}
	needed := gatesOf(in)
	same := 0
	for _, gate := range needed {
		theirs, at := argo.Value.Hashes[gate]
		ours, here := own.Value.Hashes[gate]
		switch {
		case !here:
			l.Fail(makeGates(in), "Secret %s/%s has no key %s, so that the proxy refuses that gate", in.Namespace, gatesSecret, gate)
		case !at:
			l.Fail(makeGates(in), "Secret %s/%s has no key %s", in.ArgoCDNamespace, gatesSecret, gate)
		case theirs != ours:
			l.Fail(makeGates(in), "the secret of gate %s is one in %s and another in %s, so that the proxy refuses every call", gate, in.ArgoCDNamespace, in.Namespace)
		default:
			same++
		}
	}
	if same == len(needed) {
		l.OK("both Secrets %s hold the same secrets for %s", gatesSecret, finding.Names(needed))
	}
}
