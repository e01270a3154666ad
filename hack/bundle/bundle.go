// Package bundle builds the manifests that users apply, for places that are not
// a whole cluster: the demo and the tests run Waybill's processes themselves and
// apply the very files of manifests/, not copies of them.
package bundle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// ProxyURL is the proxy's address inside a cluster, as manifests/ states it for
// Argo CD.
const ProxyURL = "http://waybill-proxy.waybill.svc:8080"

// Options say how the manifests differ from what a cluster gets. The zero value
// changes nothing.
type Options struct {
	// ProxyURL is where Argo CD finds the proxy, scheme and host only, when it
	// is not at [ProxyURL].
	ProxyURL string
	// WithoutWorkloads leaves out the Deployments, the one kind that does
	// nothing without a kubelet.
	WithoutWorkloads bool
}

// Waybill returns manifests/waybill as YAML documents: the namespace of Waybill
// and the rights of the proxy. Root is the folder of the repository.
func Waybill(root string, o Options) ([]byte, error) {
	m, err := build(filepath.Join(root, "manifests", "waybill"))
	if err != nil {
		return nil, err
	}
	return o.render(m)
}

// ArgoCD returns what manifests/argocd adds to Argo CD's own objects as YAML
// documents: partial objects in the namespace argocd. They are for a server-side
// apply, and only where the objects themselves were applied server-side: see the
// warning in that folder. Root is the folder of the repository.
func ArgoCD(root string, o Options) ([]byte, error) {
	m, err := build(filepath.Join(root, "manifests", "sidecar"))
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(root, "manifests", "argocd")
	patches, err := patches(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the manifests of argocd: %w", err)
	}
	if err := m.AppendAll(patches); err != nil {
		return nil, fmt.Errorf("reading the manifests of argocd: %w", err)
	}
	for _, r := range m.Resources() {
		if err := r.SetNamespace("argocd"); err != nil {
			return nil, err
		}
	}
	return o.render(m)
}

// patches reads the patches that a component consists of, as partial objects.
func patches(folder string) (resmap.ResMap, error) {
	content, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	var component types.Kustomization
	if err := yaml.UnmarshalStrict(content, &component); err != nil {
		return nil, err
	}
	factory := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory())
	found := resmap.New()
	for _, patch := range component.Patches {
		content, err := os.ReadFile(filepath.Join(folder, patch.Path))
		if err != nil {
			return nil, err
		}
		objects, err := factory.NewResMapFromBytes(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", patch.Path, err)
		}
		if err := found.AppendAll(objects); err != nil {
			return nil, fmt.Errorf("%s: %w", patch.Path, err)
		}
	}
	return found, nil
}

func build(folder string) (resmap.ResMap, error) {
	m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("building the manifests of %s: %w", filepath.Base(folder), err)
	}
	return m, nil
}

// render applies the options.
func (o Options) render(m resmap.ResMap) ([]byte, error) {
	kept := resmap.New()
	for _, r := range m.Resources() {
		if o.WithoutWorkloads && r.GetKind() == "Deployment" {
			continue
		}
		if o.ProxyURL != "" {
			if err := pointAt(o.ProxyURL, r); err != nil {
				return nil, err
			}
		}
		if err := kept.Append(r); err != nil {
			return nil, fmt.Errorf("collecting the manifests: %w", err)
		}
	}
	return kept.AsYaml()
}

// pointAt replaces the proxy's address in Argo CD's extension configuration.
func pointAt(url string, r *resource.Resource) error {
	if r.GetKind() != "ConfigMap" || r.GetName() != "argocd-cm" {
		return nil
	}
	data := r.GetDataMap()
	for key, value := range data {
		if !strings.HasPrefix(key, "extension.config.") {
			continue
		}
		if strings.Count(value, ProxyURL) != 1 {
			return fmt.Errorf("argocd-cm: %s does not name the backend %s once: the manifests and this package have parted", key, ProxyURL)
		}
		data[key] = strings.Replace(value, ProxyURL, url, 1)
	}
	r.SetDataMap(data)
	return nil
}
