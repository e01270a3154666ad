package pin

import "github.com/waybill-cd/waybill/plugin/manifest"

// containers visits every image that a pod can take from an object: the
// containers and image volumes of each pod template, wherever it stands. As
// kustomize's own images do, it goes by the names of the fields and not by a
// list of kinds, so that a CronJob, an Argo Rollout or a Knative Service needs
// no entry. A CustomResourceDefinition only describes such fields.
func containers(o manifest.Object, rewrite func(string) string) {
	if o.Kind() == "CustomResourceDefinition" {
		return
	}
	walk(map[string]any(o), rewrite)
}

func walk(node any, rewrite func(string) string) {
	switch node := node.(type) {
	case map[string]any:
		for field, value := range node {
			switch field {
			case "containers", "initContainers", "ephemeralContainers":
				each(value, func(container map[string]any) { rewriteField(container, "image", rewrite) })
			case "volumes":
				each(value, func(volume map[string]any) {
					if image, ok := volume["image"].(map[string]any); ok {
						rewriteField(image, "reference", rewrite)
					}
				})
			}
			walk(value, rewrite)
		}
	case []any:
		for _, element := range node {
			walk(element, rewrite)
		}
	}
}

func each(list any, visit func(map[string]any)) {
	elements, _ := list.([]any)
	for _, element := range elements {
		if fields, ok := element.(map[string]any); ok {
			visit(fields)
		}
	}
}

func rewriteField(fields map[string]any, name string, rewrite func(string) string) {
	// An empty image is a placeholder that a controller fills in.
	if reference, ok := fields[name].(string); ok && reference != "" {
		fields[name] = rewrite(reference)
	}
}
