package doctor

import (
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
)

const (
	// extensionName is the init container's that brings the UI extension.
	extensionName = "waybill-extension"
	// extensions is the folder from which argocd-server serves UI extensions.
	extensions = "/tmp/extensions"
)

// uiExtension looks at the Deployment of argocd-server, which serves the tab.
func uiExtension(in Installation) []finding.Finding {
	l := finding.For(CheckExtension)
	d, found := deployment(in.Deployments, serverName)
	if !found {
		return nil // the version and the gates tell of it
	}
	spec := d.Spec.Template.Spec
	server := serverContainer(spec)
	if !slices.ContainsFunc(server.VolumeMounts, func(m Mount) bool { return strings.HasPrefix(m.MountPath+"/", extensions+"/") }) {
		l.Warn(patchServer(in, d.Meta.Name, server.Name), "Deployment %s has no UI extension, so that Argo CD's pages have no tab Waybill: nothing is mounted below %s", d.Meta.Key(), extensions)
		return l.All()
	}
	for _, c := range spec.InitContainers {
		if c.Name == extensionName && tagOf(c.Image) == unreleased {
			l.Fail(patchServer(in, d.Meta.Name, server.Name), "the image of the UI extension, %s, stands for one that is still to be built", c.Image)
			return l.All()
		}
	}
	l.OK("Deployment %s has the UI extension", d.Meta.Key())
	return l.All()
}

// serverContainer returns argocd-server's own container, as the manifests or the Helm
// chart name it.
func serverContainer(spec PodSpec) Container {
	for _, c := range spec.Containers {
		if c.Name == serverName || c.Name == serverChart {
			return c
		}
	}
	return Container{Name: serverName}
}
