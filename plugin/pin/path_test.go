package pin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/pin"
)

func TestAPathLeadsToImagesInCustomResources(t *testing.T) {
	tests := []struct {
		name, path, object, want string
	}{
		{
			name: "through fields", path: "Kafka.kafka.strimzi.io:spec.kafka.image",
			object: `{apiVersion: kafka.strimzi.io/v1, kind: Kafka, spec: {kafka: {image: nginx}}}`,
			want:   `{apiVersion: kafka.strimzi.io/v1, kind: Kafka, spec: {kafka: {image: "nginx@` + two + `"}}}`,
		},
		{
			name: "through every element of a list", path: "Workflow:spec.templates[*].container.image",
			object: `{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {templates: [{container: {image: nginx}}, {dag: {}}]}}`,
			want:   `{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {templates: [{container: {image: "nginx@` + two + `"}}, {dag: {}}]}}`,
		},
		{
			name: "through every value of a map", path: "Fleet:spec[*][*]",
			object: `{apiVersion: example.com/v1, kind: Fleet, spec: {a: [nginx], b: [other]}}`,
			want:   `{apiVersion: example.com/v1, kind: Fleet, spec: {a: ["nginx@` + two + `"], b: [other]}}`,
		},
		{
			name: "through a field with dots", path: `Pod:metadata.annotations["sidecar.istio.io/proxyImage"]`,
			object: `{apiVersion: v1, kind: Pod, metadata: {annotations: {sidecar.istio.io/proxyImage: nginx}}}`,
			want:   `{apiVersion: v1, kind: Pod, metadata: {annotations: {sidecar.istio.io/proxyImage: "nginx@` + two + `"}}}`,
		},
		{
			name: "and not into another group", path: "Kafka.kafka.strimzi.io:image",
			object: `{apiVersion: example.com/v1, kind: Kafka, image: nginx}`,
			want:   `{apiVersion: example.com/v1, kind: Kafka, image: nginx}`,
		},
		{
			name: "and not into another kind", path: "Kafka:image",
			object: `{apiVersion: example.com/v1, kind: Cassandra, image: nginx}`,
			want:   `{apiVersion: example.com/v1, kind: Cassandra, image: nginx}`,
		},
		{
			name: "past what is null or empty", path: "Kafka:a.b.c",
			object: `{apiVersion: example.com/v1, kind: Kafka, a: {b: null}}`,
			want:   `{apiVersion: example.com/v1, kind: Kafka, a: {b: null}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, err := pin.ParsePath(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			objects := parse(t, tt.object)
			if _, err := shopPins(t).Apply(objects, []pin.Path{path}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, tt.want), objects); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPathThatLeadsAstrayIsRefused(t *testing.T) {
	for path, object := range map[string]string{
		"Kafka:spec":         `{apiVersion: example.com/v1, kind: Kafka, spec: {}}`,
		"Kafka:spec.image":   `{apiVersion: example.com/v1, kind: Kafka, spec: {image: 7}}`,
		"Kafka:spec.a.image": `{apiVersion: example.com/v1, kind: Kafka, spec: {a: text}}`,
		"Kafka:spec.b.image": `{apiVersion: example.com/v1, kind: Kafka, spec: {b: [{image: nginx}]}}`,
	} {
		parsed, err := pin.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = shopPins(t).Apply(parse(t, object), []pin.Path{parsed})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s on %s: the error does not name the path: %v", path, object, err)
		}
	}
}

func TestAPathIsAlwaysRefusedWithTheSameWords(t *testing.T) {
	path, err := pin.ParsePath("Kafka:spec[*].image")
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for range 50 { // maps have no order
		_, err := shopPins(t).Apply(parse(t, `{apiVersion: example.com/v1, kind: Kafka, spec: {a: text, b: {image: 7}, c: [1]}}`), []pin.Path{path})
		if err == nil {
			t.Fatal("it is not refused")
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Fatalf("refused with %q after %q", err, first)
		}
	}
}

func TestAPathThatCannotBeReadIsRefused(t *testing.T) {
	for _, text := range []string{
		"", ":", "spec.image", "Kafka", "Kafka:", "kafka:spec.image", "Kafka.:spec", "Kafka.Strimzi:spec", "*:spec.image",
		"Kafka:.spec", "Kafka:spec.", "Kafka:spec..image", "Kafka:[*]", "Kafka:spec[0].image", `Kafka:spec["a]`, `Kafka:spec[""]`,
		"Kafka:spec image", "Kafka:" + strings.Repeat("a.", 64) + "a",
	} {
		if path, err := pin.ParsePath(text); err == nil {
			t.Errorf("ParsePath(%q) = %v, want an error", text, path)
		}
	}
}

// FuzzParsePath feeds image paths, which whoever edits an Application writes.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		"Kafka.kafka.strimzi.io:spec.kafka.image", "Workflow:spec.templates[*].container.image",
		`Pod:metadata.annotations["sidecar.istio.io/proxyImage"]`, "A:a[*][*]", "", ":", `A:["`, "A:a.",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := pin.ParsePath(text)
		if err != nil {
			return
		}
		if path.String() != text {
			t.Errorf("%q reads as %q", text, path)
		}
		kind, _, _ := strings.Cut(strings.SplitN(text, ":", 2)[0], ".")
		o := manifest.Object{"apiVersion": "example.com/v1", "kind": kind, "spec": map[string]any{"image": "nginx", "list": []any{"nginx"}}}
		// Any path is followed or refused.
		_, _ = shopPins(t).Apply([]manifest.Object{o}, []pin.Path{path})
	})
}
