package manifest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: prod}
spec:
  replicas: 2
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: prod}
`

func digest(t *testing.T, text string) string {
	t.Helper()
	objects, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := manifest.Digest(objects)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDigestIsTheSameFor(t *testing.T) {
	want := digest(t, shop)
	for name, text := range map[string]string{
		"documents in another order":   "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: prod}\nspec: {replicas: 2}\n",
		"keys in another order":        "kind: Deployment\nspec: {replicas: 2}\nmetadata: {namespace: prod, name: shop}\napiVersion: apps/v1\n---\nkind: Service\nmetadata: {namespace: prod, name: shop}\napiVersion: v1\n",
		"comments and empty documents": "# shop\n---\n" + shop + "---\n# end\n---\n",
		"JSON":                         `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop","namespace":"prod"},"spec":{"replicas":2.0}} {"apiVersion":"v1","kind":"Service","metadata":{"name":"shop","namespace":"prod"}}`,
		"a list":                       `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: prod}}, {apiVersion: apps/v1, kind: Deployment, metadata: {name: shop, namespace: prod}, spec: {replicas: 0x2}}]}`,
		"anchors":                      "apiVersion: apps/v1\nkind: Deployment\nmetadata: &m {name: shop, namespace: prod}\nspec: {replicas: 2}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n",
	} {
		if got := digest(t, text); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestTheDigestChangesWith(t *testing.T) {
	base := digest(t, shop)
	for name, text := range map[string]string{
		"a number":                 "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: prod}\nspec:\n  replicas: 3\n---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n",
		"text instead of a number": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: prod}\nspec:\n  replicas: \"2\"\n---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n",
		"an object less":           "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n",
		"an object twice":          shop + "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\n",
	} {
		if got := digest(t, text); got == base {
			t.Errorf("%s: still %s", name, got)
		}
	}
	if digest(t, "{apiVersion: v1, kind: K, a: on}") == digest(t, `{apiVersion: v1, kind: K, a: "on"}`) {
		t.Error("true and \"on\" have one digest, and Argo CD tells them apart")
	}
	if digest(t, "{apiVersion: v1, kind: K, a: 9007199254740992}") == digest(t, "{apiVersion: v1, kind: K, a: 9007199254740993}") {
		t.Error("large numbers that differ by one have one digest")
	}
}

func TestTheDigestKeepsTheOrderOfObjectsThatReplaceEachOther(t *testing.T) {
	named := func(value string) manifest.Object {
		return manifest.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "value": value}
	}
	generated := func(value string) manifest.Object {
		return manifest.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"generateName": "a-"}, "value": value}
	}
	for _, tt := range []struct {
		make func(string) manifest.Object
		same bool
	}{{named, false}, {generated, true}} {
		objects := []manifest.Object{tt.make("1"), tt.make("2")}
		first, err := manifest.Digest(objects)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(objects)
		second, err := manifest.Digest(objects)
		if err != nil {
			t.Fatal(err)
		}
		if (first == second) != tt.same {
			t.Errorf("%s in both orders: %s and %s", objects[0], first, second)
		}
	}
}

// The canonical form is a promise: approvals of one version of Waybill are
// compared with the digests of another.
func ExampleDigest() {
	objects, err := manifest.Parse([]byte("kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {html: <b>, number: \"1\"}\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	digest, err := manifest.Digest(objects)
	fmt.Println(digest, err)
	// Output: sha256:8887f7e3345565c67294893e41d0f65f43543782e2fa54c1c8bbea3f611b852f <nil>
}
