package images_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/images"
)

func TestEveryImageOfAPodIsVisited(t *testing.T) {
	for name, tt := range map[string]struct {
		object string
		want   []string
	}{
		"a pod": {
			`{kind: Pod, spec: {initContainers: [{image: a}], containers: [{image: b}, {image: c}], ephemeralContainers: [{image: d}], volumes: [{image: {reference: e}}, {emptyDir: {}}]}}`,
			[]string{"a", "b", "c", "d", "e"},
		},
		"a template wherever it stands": {`{kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}}`, []string{"a"}},
		"templates in a list":           {`{kind: Workflow, spec: {templates: [{containers: [{image: a}]}, {initContainers: [{image: b}]}]}}`, []string{"a", "b"}},
		"placeholders":                  {`{kind: Pod, spec: {containers: [{image: ""}, {name: none}, text, {image: 7}], volumes: {image: {reference: a}}}}`, nil},
		"what is elsewhere":             {`{kind: Kafka, spec: {image: a, container: {image: b}}}`, nil},
		"a description":                 {`{kind: CustomResourceDefinition, spec: {default: {containers: [{image: a}]}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			visited := func(object map[string]any) (all []string) {
				images.Visit(object, func(reference string) string {
					all = append(all, reference)
					return reference + ":new"
				})
				slices.Sort(all)
				return all
			}
			var object map[string]any
			if err := yaml.Unmarshal([]byte(tt.object), &object); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, visited(object)); diff != "" {
				t.Errorf("visited (-want +got):\n%s", diff)
			}
			var replaced []string
			for _, reference := range tt.want {
				replaced = append(replaced, reference+":new")
			}
			if diff := cmp.Diff(replaced, visited(object)); diff != "" {
				t.Errorf("replaced (-want +got):\n%s", diff)
			}
		})
	}
}
