package doctor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/identity"
)

// The remedies that are commands, as a shell takes them: with the namespaces that
// were looked at, and what is there under its own name.

const (
	defaultArgoCDNamespace = "argocd" // of gate-secrets

	// apiPort is the one of the proxy's Service for argocd-server.
	apiPort = 8080

	// In the manifests.
	pluginImage    = "ghcr.io/waybill-cd/waybill-plugin:" + unreleased
	extensionImage = "ghcr.io/waybill-cd/waybill-extension:" + unreleased
)

// restart makes the pods of a component anew.
func restart(in Installation, component string) string {
	namespace, all := in.ArgoCDNamespace, in.Deployments
	if component == proxyName {
		namespace, all = in.Namespace, in.OwnDeployments
	}
	name := component
	if d, found := deployment(all, component); found {
		name = d.Meta.Name
	}
	return "kubectl rollout restart -n " + namespace + " deployment/" + name
}

// setKey sets one key of one of Argo CD's ConfigMaps.
func setKey(in Installation, configMap, key, value string) string {
	// A map of texts can always be written.
	patch, _ := json.Marshal(map[string]any{"data": map[string]string{key: value}})
	return "kubectl patch -n " + in.ArgoCDNamespace + " configmap " + configMap + " --patch '" + string(patch) + "'"
}

// makeExtension configures a gate as the manifests do those that an installation
// has from birth.
func makeExtension(in Installation, gate string) string {
	return setKey(in, "argocd-cm", keyExtensionPrefix+gate, fmt.Sprintf("services: [{url: http://%s.%s.svc:%d, headers: [{name: %s, value: $%s:%s}]}]",
		proxyName, in.Namespace, apiPort, identity.HeaderSecret, gatesSecret, gate))
}

// fromBirth tells whether every installation has a gate, by the manifests.
func fromBirth(gate string) bool {
	return slices.Contains([]string{pipeline.GateRead, pipeline.GatePromote, pipeline.GateApprove}, gate)
}

// grantGate lets somebody pass a gate.
func grantGate(in Installation, gate string) string {
	if fromBirth(gate) {
		return "kubectl patch -n " + in.ArgoCDNamespace + " configmap argocd-rbac-cm --patch-file manifests/argocd/argocd-rbac-cm.yaml"
	}
	return "add to policy.csv of argocd-rbac-cm: p, <role>, extensions, invoke, " + gate + ", allow"
}

// makeGates makes both Secrets anew, with a secret for each gate.
func makeGates(in Installation) string {
	flags := ""
	if in.Namespace != pipeline.DefaultNamespace {
		flags += " --namespace " + in.Namespace
	}
	if in.ArgoCDNamespace != defaultArgoCDNamespace {
		flags += " --argocd-namespace " + in.ArgoCDNamespace
	}
	for _, gate := range gatesOf(in) {
		if !fromBirth(gate) {
			flags += " --gate " + gate
		}
	}
	return "argocd-waybill gate-secrets" + flags + " | kubectl apply --server-side -f - && " + restart(in, serverName) + " && " + restart(in, proxyName)
}

// plainImage is a reference that a shell takes as it is.
var plainImage = regexp.MustCompile(`^[A-Za-z0-9._/:@-]+$`)

// patchRepoServer gives the repo-server the sidecar of the manifests, with the
// image that it has, where it has one.
func patchRepoServer(in Installation) string {
	before, image, name := "with PLUGIN as the image that make images prints: ", "$PLUGIN", repoServerName
	if d, found := deployment(in.Deployments, repoServerName); found {
		name = d.Meta.Name
		if c, found := d.Spec.Template.Spec.container(sidecarName); found && tagOf(c.Image) != unreleased && plainImage.MatchString(c.Image) {
			before, image = "", c.Image
		}
	}
	return before + `sed "s|` + pluginImage + "|" + image + `|" manifests/argocd/argocd-repo-server.yaml | ` +
		"kubectl patch -n " + in.ArgoCDNamespace + " deployment " + name + " --patch-file /dev/stdin"
}

// patchServer gives argocd-server the UI extension of the manifests, to a container of
// the name that it has.
func patchServer(in Installation, name, container string) string {
	return `with EXTENSION as the image that make images prints: sed "s|` + extensionImage + `|$EXTENSION|; s|- name: ` + serverName + `$|- name: ` + container + `|" manifests/argocd/argocd-server.yaml | ` +
		"kubectl patch -n " + in.ArgoCDNamespace + " deployment " + name + " --patch-file /dev/stdin"
}
