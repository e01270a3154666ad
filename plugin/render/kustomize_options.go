package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// KustomizeOptions is what an Application lays over its kustomization, by the
// names that it has in an Application without a plugin (argo-cd, v1alpha1,
// ApplicationSourceKustomize). It means what it means there: each option is an
// edit of the kustomization before it is built (argo-cd, util/kustomize, Build).
type KustomizeOptions struct {
	NamePrefix string
	NameSuffix string
	// Namespace is what all objects are put into.
	Namespace string
	// Images are written as for `kustomize edit set image`: name=new:tag@digest,
	// of which all but the name or all but the new one may be left out.
	Images []string
	// Replicas are counts by the name of an object.
	Replicas map[string]string

	CommonLabels map[string]string
	// ForceCommonLabels lets CommonLabels replace what the kustomization sets.
	ForceCommonLabels bool
	// LabelWithoutSelector keeps CommonLabels out of selectors and templates.
	LabelWithoutSelector bool
	// LabelIncludeTemplates puts them into templates all the same. It needs
	// LabelWithoutSelector.
	LabelIncludeTemplates bool

	CommonAnnotations map[string]string
	// ForceCommonAnnotations lets CommonAnnotations replace what the
	// kustomization sets.
	ForceCommonAnnotations bool

	// Patches are added to those of the kustomization.
	Patches []types.Patch
	// Components are paths, or globs of paths, of components to add.
	Components []string
	// IgnoreMissingComponents passes over those of Components that are not there.
	IgnoreMissingComponents bool
}

// isEmpty tells whether there is nothing to edit.
func (o KustomizeOptions) isEmpty() bool {
	return o.NamePrefix == "" && o.NameSuffix == "" && o.Namespace == "" &&
		len(o.Images) == 0 && len(o.Replicas) == 0 && len(o.CommonLabels) == 0 && len(o.CommonAnnotations) == 0 &&
		len(o.Patches) == 0 && len(o.Components) == 0
}

// ParsePatches reads a list of patches as it stands in a kustomization.
func ParsePatches(text string) ([]types.Patch, error) {
	var patches []types.Patch
	if err := yaml.UnmarshalStrict([]byte(text), &patches); err != nil {
		return nil, refusal.New("its plugin parameter "+parameters.Patches+" is no list of patches as in a kustomization",
			`write "- path: patch.yaml" or "- patch: …" with a target, as YAML`)
	}
	return patches, nil
}

// edit changes a kustomization as the options say, in the order in which Argo CD
// does. components are Components with their globs resolved.
func (o KustomizeOptions) edit(k *types.Kustomization, components []string) error {
	if o.NamePrefix != "" {
		k.NamePrefix = o.NamePrefix
	}
	if o.NameSuffix != "" {
		k.NameSuffix = o.NameSuffix
	}
	if err := o.setImages(k); err != nil {
		return err
	}
	if err := o.setReplicas(k); err != nil {
		return err
	}
	if err := o.addLabels(k); err != nil {
		return err
	}
	if err := o.addAnnotations(k); err != nil {
		return err
	}
	if o.Namespace != "" {
		k.Namespace = o.Namespace
	}
	k.Patches = append(k.Patches, o.Patches...)
	for _, component := range components {
		if !slices.Contains(k.Components, component) {
			k.Components = append(k.Components, component)
		}
	}
	return nil
}

// setReplicas does what `kustomize edit set replicas` does.
func (o KustomizeOptions) setReplicas(k *types.Kustomization) error {
	if len(o.Replicas) == 0 {
		return nil
	}
	byName := map[string]types.Replica{}
	for name, text := range o.Replicas {
		count, err := strconv.Atoi(text)
		if err != nil {
			return refusal.New(fmt.Sprintf("its plugin parameter %s sets %s to %q, which is no number", parameters.Replicas, name, text), "write map: {name: \"3\"}")
		}
		byName[name] = types.Replica{Name: name, Count: int64(count)}
	}
	for _, replica := range k.Replicas {
		if _, given := byName[replica.Name]; !given {
			byName[replica.Name] = replica
		}
	}
	k.Replicas = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		k.Replicas = append(k.Replicas, byName[name])
	}
	return nil
}
