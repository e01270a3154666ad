package command

import (
	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/render"
)

// kustomizeSettings are the settings of a kustomization.
type kustomizeSettings struct {
	// options are as the Application writes them; variables stand in them yet.
	options render.KustomizeOptions
	// annotationVariables tells whether they stand in common annotations too.
	annotationVariables bool
}

// kustomizeDefinitions are the parameters of a kustomization, by the names of
// the fields of its native source (argo-cd, ApplicationSourceKustomize).
func kustomizeDefinitions() []definition {
	return []definition{
		{
			name: parameters.NamePrefix, title: "Name prefix",
			tooltip: "Put before the names of all objects.",
			set:     setText(func(p *settings) *string { return &p.kustomize.options.NamePrefix }),
		},
		{
			name: parameters.NameSuffix, title: "Name suffix",
			tooltip: "Put behind the names of all objects.",
			set:     setText(func(p *settings) *string { return &p.kustomize.options.NameSuffix }),
		},
		{
			name: parameters.Namespace, title: "Namespace",
			tooltip: "The namespace of all objects. Empty leaves the kustomization's own.",
			set:     setText(func(p *settings) *string { return &p.kustomize.options.Namespace }),
		},
		{
			name: parameters.Images, title: "Images",
			tooltip: "Images in place of others: name=new:tag, name:tag or name@digest. The freight's pins come after.",
			set: func(p *settings, v value) (err error) {
				p.kustomize.options.Images, err = v.list(`["name=new:tag"]`)
				return err
			},
		},
		{
			name: parameters.Replicas, title: "Replicas",
			tooltip: "How many replicas, by the name of the object.",
			set:     setMap(`{"name": "3"}`, func(p *settings) *map[string]string { return &p.kustomize.options.Replicas }),
		},
		{
			name: parameters.CommonLabels, title: "Common labels",
			tooltip: "Labels for all objects, their selectors and templates. $ARGOCD_APP_NAME and its like are replaced.",
			set:     setMap(`{"name": "value"}`, func(p *settings) *map[string]string { return &p.kustomize.options.CommonLabels }),
		},
		{
			name: parameters.ForceCommonLabels, title: "Force common labels",
			tooltip: `"true" lets common labels replace those that the kustomization sets.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.options.ForceCommonLabels }),
		},
		{
			name: parameters.LabelWithoutSelector, title: "Labels without selectors",
			tooltip: `"true" keeps common labels out of selectors and templates.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.options.LabelWithoutSelector }),
		},
		{
			name: parameters.LabelIncludeTemplates, title: "Labels in templates",
			tooltip: `"true" puts common labels into templates, where they are kept out of selectors.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.options.LabelIncludeTemplates }),
		},
		{
			name: parameters.CommonAnnotations, title: "Common annotations",
			tooltip: "Annotations for all objects.",
			set:     setMap(`{"name": "value"}`, func(p *settings) *map[string]string { return &p.kustomize.options.CommonAnnotations }),
		},
		{
			name: parameters.ForceCommonAnnotations, title: "Force common annotations",
			tooltip: `"true" lets common annotations replace those that the kustomization sets.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.options.ForceCommonAnnotations }),
		},
		{
			name: parameters.CommonAnnotationsEnvsubst, title: "Variables in common annotations",
			tooltip: `"true" replaces $ARGOCD_APP_NAME and its like in common annotations.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.annotationVariables }),
		},
		{
			name: parameters.Components, title: "Components",
			tooltip: "Paths of components to add, from the Application's path.",
			set: func(p *settings, v value) (err error) {
				p.kustomize.options.Components, err = v.list(`["../components/name"]`)
				return err
			},
		},
		{
			name: parameters.IgnoreMissingComponents, title: "Ignore missing components",
			tooltip: `"true" passes over components that are not there.`,
			set:     setBoolean(func(p *settings) *bool { return &p.kustomize.options.IgnoreMissingComponents }),
		},
		{
			name: parameters.Patches, title: "Patches",
			tooltip: "Patches to add, as YAML: the list that stands under patches in a kustomization.",
			set: func(p *settings, v value) error {
				text, err := v.textual()
				if err != nil {
					return err
				}
				p.kustomize.options.Patches, err = render.ParsePatches(text)
				return err
			},
		},
	}
}

// kustomizeOptions returns the settings as they stand for the build: variables
// put in where Argo CD does (argo-cd, util/kustomize, Build).
func (c Call) kustomizeOptions(given kustomizeSettings) render.KustomizeOptions {
	options := given.options
	options.Images = nil
	for _, image := range given.options.Images {
		options.Images = append(options.Images, c.substitute(image))
	}
	options.CommonLabels = c.substituteAll(options.CommonLabels)
	if given.annotationVariables {
		options.CommonAnnotations = c.substituteAll(options.CommonAnnotations)
	}
	return options
}
