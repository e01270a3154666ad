package command

import "github.com/waybill-cd/waybill/plugin/render"

// kustomizeParameters are the settings of a kustomization.
type kustomizeParameters struct {
	// options are as the Application writes them; variables stand in them yet.
	options render.KustomizeOptions
	// annotationVariables tells whether they stand in common annotations too.
	annotationVariables bool
}

// kustomizeDefinitions are the parameters of a kustomization, by the names of
// the fields of its native source (argo-cd, ApplicationSourceKustomize).
var kustomizeDefinitions = []definition{
	{
		name: "namePrefix", title: "Name prefix", form: aText,
		tooltip: "Put before the names of all objects.",
		set:     setText(func(p *parameters) *string { return &p.kustomize.options.NamePrefix }),
	},
	{
		name: "nameSuffix", title: "Name suffix", form: aText,
		tooltip: "Put behind the names of all objects.",
		set:     setText(func(p *parameters) *string { return &p.kustomize.options.NameSuffix }),
	},
	{
		name: "namespace", title: "Namespace", form: aText,
		tooltip: "The namespace of all objects. Empty leaves the kustomization's own.",
		set:     setText(func(p *parameters) *string { return &p.kustomize.options.Namespace }),
	},
	{
		name: "images", title: "Images", form: aList,
		tooltip: "Images in place of others: name=new:tag, name:tag or name@digest. The freight's pins come after.",
		set: func(p *parameters, v value) (err error) {
			p.kustomize.options.Images, err = v.list(`["name=new:tag"]`)
			return err
		},
	},
	{
		name: "replicas", title: "Replicas", form: aMap,
		tooltip: "How many replicas, by the name of the object.",
		set:     setMap(`{"name": "3"}`, func(p *parameters) *map[string]string { return &p.kustomize.options.Replicas }),
	},
	{
		name: "commonLabels", title: "Common labels", form: aMap,
		tooltip: "Labels for all objects, their selectors and templates. $ARGOCD_APP_NAME and its like are replaced.",
		set:     setMap(`{"name": "value"}`, func(p *parameters) *map[string]string { return &p.kustomize.options.CommonLabels }),
	},
	{
		name: "forceCommonLabels", title: "Force common labels", form: aBoolean, initial: "false",
		tooltip: `"true" lets common labels replace those that the kustomization sets.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.options.ForceCommonLabels }),
	},
	{
		name: "labelWithoutSelector", title: "Labels without selectors", form: aBoolean, initial: "false",
		tooltip: `"true" keeps common labels out of selectors and templates.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.options.LabelWithoutSelector }),
	},
	{
		name: "labelIncludeTemplates", title: "Labels in templates", form: aBoolean, initial: "false",
		tooltip: `"true" puts common labels into templates, where they are kept out of selectors.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.options.LabelIncludeTemplates }),
	},
	{
		name: "commonAnnotations", title: "Common annotations", form: aMap,
		tooltip: "Annotations for all objects.",
		set:     setMap(`{"name": "value"}`, func(p *parameters) *map[string]string { return &p.kustomize.options.CommonAnnotations }),
	},
	{
		name: "forceCommonAnnotations", title: "Force common annotations", form: aBoolean, initial: "false",
		tooltip: `"true" lets common annotations replace those that the kustomization sets.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.options.ForceCommonAnnotations }),
	},
	{
		name: "commonAnnotationsEnvsubst", title: "Variables in common annotations", form: aBoolean, initial: "false",
		tooltip: `"true" replaces $ARGOCD_APP_NAME and its like in common annotations.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.annotationVariables }),
	},
	{
		name: "components", title: "Components", form: aList,
		tooltip: "Paths of components to add, from the Application's path.",
		set: func(p *parameters, v value) (err error) {
			p.kustomize.options.Components, err = v.list(`["../components/name"]`)
			return err
		},
	},
	{
		name: "ignoreMissingComponents", title: "Ignore missing components", form: aBoolean, initial: "false",
		tooltip: `"true" passes over components that are not there.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.kustomize.options.IgnoreMissingComponents }),
	},
	{
		name: "patches", title: "Patches", form: aText,
		tooltip: "Patches to add, as YAML: the list that stands under patches in a kustomization.",
		set: func(p *parameters, v value) error {
			text, err := v.textual()
			if err != nil {
				return err
			}
			p.kustomize.options.Patches, err = render.ParsePatches(text)
			return err
		},
	},
}

// kustomizeOptions returns the settings as they stand for the build: variables
// put in where Argo CD does (argo-cd, util/kustomize, Build).
func (c Call) kustomizeOptions(given kustomizeParameters) render.KustomizeOptions {
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
