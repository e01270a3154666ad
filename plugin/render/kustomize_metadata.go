package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// addLabels does what `kustomize edit add label` does.
func (o KustomizeOptions) addLabels(k *types.Kustomization) error {
	if len(o.CommonLabels) == 0 {
		return nil
	}
	if o.LabelIncludeTemplates && !o.LabelWithoutSelector {
		return refusal.New("its plugin parameter "+parameters.LabelIncludeTemplates+" needs "+parameters.LabelWithoutSelector,
			"set both, or neither: labels of selectors are in templates anyway")
	}
	labels, err := pairs(parameters.CommonLabels, o.CommonLabels)
	if err != nil {
		return err
	}
	into := &k.CommonLabels //nolint:staticcheck // deprecated, and what kustomize edits all the same
	if o.LabelWithoutSelector {
		into = labelsFor(k, o.LabelIncludeTemplates)
	}
	return merge(into, labels, o.ForceCommonLabels, "label", parameters.ForceCommonLabels)
}

// labelsFor returns the labels of the kustomization's first entry that labels
// in this way, which it adds if need be.
func labelsFor(k *types.Kustomization, templates bool) *map[string]string {
	i := slices.IndexFunc(k.Labels, func(l types.Label) bool { return !l.IncludeSelectors && l.IncludeTemplates == templates })
	if i < 0 {
		i = len(k.Labels)
		k.Labels = append(k.Labels, types.Label{IncludeTemplates: templates})
	}
	return &k.Labels[i].Pairs
}

// addAnnotations does what `kustomize edit add annotation` does.
func (o KustomizeOptions) addAnnotations(k *types.Kustomization) error {
	if len(o.CommonAnnotations) == 0 {
		return nil
	}
	annotations, err := pairs(parameters.CommonAnnotations, o.CommonAnnotations)
	if err != nil {
		return err
	}
	return merge(&k.CommonAnnotations, annotations, o.ForceCommonAnnotations, "annotation", parameters.ForceCommonAnnotations)
}

// pairs returns what kustomize makes of keys and values, which Argo CD hands
// over as arguments of the form key:value.
func pairs(parameter string, given map[string]string) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := noOption(parameter, name); err != nil {
			return nil, err
		}
		key, value, _ := strings.Cut(name+":"+given[name], ":")
		if key == "" {
			return nil, refusal.New("its plugin parameter "+parameter+" has an entry without a key", "name it")
		}
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		all[key] = value
	}
	return all, nil
}

// merge adds what is given. What is there stays, unless force says otherwise.
func merge(into *map[string]string, given map[string]string, force bool, what, parameter string) error {
	if *into == nil {
		*into = map[string]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if _, found := (*into)[key]; found && !force {
			return refusal.New(fmt.Sprintf("it sets the common %s %s, which its kustomization sets too", what, key),
				fmt.Sprintf(`set %s: "true", or remove one`, parameter))
		}
		(*into)[key] = given[key]
	}
	return nil
}

// noOption refuses what kustomize would take for one of its options.
func noOption(parameter, text string) error {
	if strings.HasPrefix(text, "-") {
		return refusal.New(fmt.Sprintf("its plugin parameter %s holds %q, which begins with a hyphen", parameter, text), "no such thing is named so, mend it")
	}
	return nil
}
