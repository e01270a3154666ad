package render

import (
	"flag"
	"os"
	"strings"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/openapi/kubernetesapi"
	"sigs.k8s.io/kustomize/kyaml/openapi/kubernetesapi/v1_21_2"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

var update = flag.Bool("update", false, "write the schema anew from kustomize's own")

// ownSchema is what kustomize itself would read.
func ownSchema(t *testing.T) *openapi_v2.Document {
	t.Helper()
	if kubernetesapi.DefaultOpenAPI != "v1.21.2" {
		t.Fatalf("kustomize has another schema by now, %s: change the import above", kubernetesapi.DefaultOpenAPI)
	}
	document := &openapi_v2.Document{}
	if err := proto.Unmarshal(v1_21_2.MustAsset("kubernetesapi/v1_21_2/swagger.pb"), document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheSchemaIsKustomizesOwnWithoutTexts(t *testing.T) {
	want := ownSchema(t)
	want.Paths = nil
	for _, definition := range want.GetDefinitions().GetAdditionalProperties() {
		dropTexts(definition.GetValue())
	}
	if *update {
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("schema.pb", data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got := &openapi_v2.Document{}
	if err := proto.Unmarshal(schema, got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(want, got) {
		t.Error("schema.pb is not made of kustomize's schema: run this test with -update")
	}
}

func dropTexts(s *openapi_v2.Schema) {
	if s == nil {
		return
	}
	s.Description = ""
	for _, property := range s.GetProperties().GetAdditionalProperties() {
		dropTexts(property.GetValue())
	}
	for _, item := range s.GetItems().GetSchema() {
		dropTexts(item)
	}
	for _, part := range s.GetAllOf() {
		dropTexts(part)
	}
	dropTexts(s.GetAdditionalProperties().GetSchema())
}

// TestNoPathOfTheSchemaIsMissed holds kustomize's table of namespaced kinds
// against the paths that were left out, which it would ask otherwise.
func TestNoPathOfTheSchemaIsMissed(t *testing.T) {
	namespaced := map[yaml.TypeMeta]bool{}
	for _, path := range ownSchema(t).GetPaths().GetPath() {
		for _, extension := range path.GetValue().GetGet().GetVendorExtension() {
			if extension.GetName() != "x-kubernetes-group-version-kind" {
				continue
			}
			var kind struct{ Group, Version, Kind string }
			if err := yaml.Unmarshal([]byte(extension.GetValue().GetYaml()), &kind); err != nil {
				t.Fatal(err)
			}
			meta := yaml.TypeMeta{APIVersion: strings.TrimPrefix(kind.Group+"/"+kind.Version, "/"), Kind: kind.Kind}
			namespaced[meta] = namespaced[meta] || strings.Contains(path.GetName(), "namespaces/{namespace}")
		}
	}
	if len(namespaced) == 0 {
		t.Fatal("the paths of the schema name no kind")
	}
	for meta, want := range namespaced {
		if got, known := openapi.IsNamespaceScoped(meta); !known || got != want {
			t.Errorf("%s %s: namespaced %t (known: %t), want %t", meta.APIVersion, meta.Kind, got, known, want)
		}
	}
}
