// Package images knows where the images of pods stand in a Kubernetes object.
package images

// Visit visits every image that a pod can take from an object: the containers and
// image volumes of each pod template, wherever it stands. What visit returns takes
// the image's place. As kustomize's own images do, it goes by the names of the
// fields and not by a list of kinds, so that a CronJob, an Argo Rollout or a Knative
// Service needs no entry. A CustomResourceDefinition only describes such fields.
func Visit(object map[string]any, visit func(reference string) string) {
	if object["kind"] == "CustomResourceDefinition" {
		return
	}
	walk(object, visit)
}

func walk(node any, visit func(string) string) {
	switch node := node.(type) {
	case map[string]any:
		for field, value := range node {
			switch field {
			case "containers", "initContainers", "ephemeralContainers":
				each(value, func(container map[string]any) { visitField(container, "image", visit) })
			case "volumes":
				each(value, func(volume map[string]any) {
					if image, ok := volume["image"].(map[string]any); ok {
						visitField(image, "reference", visit)
					}
				})
			}
			walk(value, visit)
		}
	case []any:
		for _, element := range node {
			walk(element, visit)
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

func visitField(fields map[string]any, name string, visit func(string) string) {
	// An empty image is a placeholder that a controller fills in.
	if reference, ok := fields[name].(string); ok && reference != "" {
		fields[name] = visit(reference)
	}
}
