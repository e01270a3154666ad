package bundle_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/waybill-cd/waybill/hack/bundle"
)

const root = "../.." // of the repository

// everything returns all objects and partial objects that users apply, by the
// folder of manifests/ that they stand in.
func everything(t *testing.T) map[string][]byte {
	t.Helper()
	argocd, err := bundle.ArgoCD(root, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"waybill":               kustomize(t, "waybill"),
		"argocd":                argocd,
		"application-namespace": kustomize(t, "application-namespace"),
	}
}

// kustomize builds a folder of manifests/.
func kustomize(t *testing.T, folder string) []byte {
	t.Helper()
	return kustomizePath(t, filepath.Join(root, "manifests", folder))
}

func kustomizePath(t *testing.T, path string) []byte {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return manifests
}

// decode reads objects as Kubernetes does when it validates fields strictly.
func decode(t *testing.T, manifests []byte) []runtime.Object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	var objects []runtime.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		objects = append(objects, object)
	}
}

// all returns the objects of one type.
func all[T runtime.Object](objects []runtime.Object) []T {
	var found []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}
