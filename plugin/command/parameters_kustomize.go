package command

import "github.com/waybill-cd/waybill/plugin/render"

// kustomizeDefinitions are the parameters of a kustomization: the fields of an
// Application's spec.source.kustomize.
func kustomizeDefinitions() []definition {
	return []definition{
		{
			name: "namePrefix", title: "Name prefix", form: aText,
			tooltip: "Put before the names of all objects.",
			set:     intoText(func(p *parameters) *string { return &p.options.Kustomize.NamePrefix }),
		},
		{
			name: "nameSuffix", title: "Name suffix", form: aText,
			tooltip: "Put behind the names of all objects.",
			set:     intoText(func(p *parameters) *string { return &p.options.Kustomize.NameSuffix }),
		},
		{
			name: "namespace", title: "Namespace", form: aText,
			tooltip: "The namespace of all objects. Empty leaves the kustomization's own.",
			set:     intoText(func(p *parameters) *string { return &p.options.Kustomize.Namespace }),
		},
		{
			name: "images", title: "Images", form: aList,
			tooltip: "Images in place of others: name=new:tag, name:tag or name@digest. The freight's pins come after.",
			set: func(p *parameters, v value) (err error) {
				p.options.Kustomize.Images, err = v.list(`["name=new:tag"]`)
				return err
			},
		},
		{
			name: "replicas", title: "Replicas", form: aMap,
			tooltip: "How many replicas, by the name of the object.",
			set:     intoMap(`{"name": "3"}`, func(p *parameters) *map[string]string { return &p.options.Kustomize.Replicas }),
		},
		{
			name: "commonLabels", title: "Common labels", form: aMap,
			tooltip: "Labels for all objects, their selectors and templates. $ARGOCD_APP_NAME and its like are replaced.",
			set:     intoMap(`{"name": "value"}`, func(p *parameters) *map[string]string { return &p.options.Kustomize.CommonLabels }),
		},
		{
			name: "forceCommonLabels", title: "Force common labels", form: aBoolean, initial: "false",
			tooltip: `"true" lets common labels replace those that the kustomization sets.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.ForceCommonLabels }),
		},
		{
			name: "labelWithoutSelector", title: "Labels without selectors", form: aBoolean, initial: "false",
			tooltip: `"true" keeps common labels out of selectors and templates.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.LabelWithoutSelector }),
		},
		{
			name: "labelIncludeTemplates", title: "Labels in templates", form: aBoolean, initial: "false",
			tooltip: `"true" puts common labels into templates, where they are kept out of selectors.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.LabelIncludeTemplates }),
		},
		{
			name: "commonAnnotations", title: "Common annotations", form: aMap,
			tooltip: "Annotations for all objects.",
			set:     intoMap(`{"name": "value"}`, func(p *parameters) *map[string]string { return &p.options.Kustomize.CommonAnnotations }),
		},
		{
			name: "forceCommonAnnotations", title: "Force common annotations", form: aBoolean, initial: "false",
			tooltip: `"true" lets common annotations replace those that the kustomization sets.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.ForceCommonAnnotations }),
		},
		{
			name: "commonAnnotationsEnvsubst", title: "Variables in common annotations", form: aBoolean, initial: "false",
			tooltip: `"true" replaces $ARGOCD_APP_NAME and its like in common annotations.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.CommonAnnotationsEnvsubst }),
		},
		{
			name: "components", title: "Components", form: aList,
			tooltip: "Paths of components to add, from the Application's path.",
			set: func(p *parameters, v value) (err error) {
				p.options.Kustomize.Components, err = v.list(`["../components/name"]`)
				return err
			},
		},
		{
			name: "ignoreMissingComponents", title: "Ignore missing components", form: aBoolean, initial: "false",
			tooltip: `"true" passes over components that are not there.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Kustomize.IgnoreMissingComponents }),
		},
		{
			name: "patches", title: "Patches", form: aText,
			tooltip: "Patches to add, as YAML: the list that stands under patches in a kustomization.",
			set: func(p *parameters, v value) error {
				text, err := v.anyText()
				if err != nil {
					return err
				}
				p.options.Kustomize.Patches, err = render.ParsePatches(text)
				return err
			},
		},
	}
}

// buildVariables are what Argo CD replaces in images, labels and annotations
// (argo-cd, reposerver/repository, newEnv; the project's name from v3 on).
var buildVariables = []string{
	envApplication, "ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME",
	"ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8",
	"ARGOCD_APP_SOURCE_REPO_URL", envSourcePath, "ARGOCD_APP_SOURCE_TARGET_REVISION",
}

// variables returns those of them that are set.
func (c Call) variables() map[string]string {
	all := map[string]string{}
	for _, name := range buildVariables {
		all[name] = c.Env[name]
	}
	return all
}
