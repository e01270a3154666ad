package preview

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v2/util/argo/normalizers"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// parse reads manifests as Argo CD reads those of a plugin, and takes lists apart
// (argo-cd, reposerver/repository, GenerateManifests).
func parse(ctx context.Context, text []byte) ([]*unstructured.Unstructured, error) {
	read, err := documents(ctx, text)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, o := range read {
		if !o.IsList() {
			all = append(all, o)
			continue
		}
		list, err := o.ToList()
		if err != nil {
			return nil, refuse("its list %s cannot be read", o.GetKind())
		}
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
	}
	return all, nil
}

// documents takes manifests apart as kube.SplitYAML of gitops-engine does, for as
// long as there is time.
func documents(ctx context.Context, text []byte) ([]*unstructured.Unstructured, error) {
	const lookahead = 4096 // bytes, as there
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), lookahead)
	var all []*unstructured.Unstructured
	for {
		if ctx.Err() != nil {
			return nil, errTime
		}
		var document runtime.RawExtension
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		// What has been decoded is JSON.
		raw := bytes.TrimSpace(document.Raw)
		if err == nil && (len(raw) == 0 || bytes.Equal(raw, []byte("null"))) {
			continue
		}
		o := &unstructured.Unstructured{}
		if err != nil || o.UnmarshalJSON(raw) != nil {
			return nil, refuse("its manifests cannot be read as Kubernetes objects")
		}
		all = append(all, o)
	}
}

// key tells objects apart. Those that share a name are one, and the last of them
// wins, as it does when they are applied; objects without a name are told apart
// by their number, which begins at 1.
type key struct {
	kube.ResourceKey
	number int
}

func index(all []*unstructured.Unstructured) map[key]*unstructured.Unstructured {
	found := map[key]*unstructured.Unstructured{}
	unnamed := map[kube.ResourceKey]int{}
	for _, o := range all {
		k := key{ResourceKey: kube.GetResourceKey(o)}
		if k.Name == "" {
			k.Name = o.GetGenerateName()
			unnamed[k.ResourceKey]++
			k.number = unnamed[k.ResourceKey]
		}
		found[k] = o
	}
	return found
}

// merged returns the keys of two indexes, sorted.
func merged(a, b map[key]*unstructured.Unstructured) []key {
	all := map[key]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(x, y key) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Kind, y.Kind),
			cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name), x.number-y.number)
	})
}

func resourceOf(o *unstructured.Unstructured) Resource {
	gvk := o.GroupVersionKind()
	return Resource{
		Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind,
		Namespace: o.GetNamespace(), Name: cmp.Or(o.GetName(), o.GetGenerateName()),
	}
}

// normal brings objects into the form in which Argo CD compares them: without
// the fields that the Application ignores, known types in their own spelling.
// What is ignored by field manager, or for a whole Argo CD (argocd-cm), is not
// known here, see also [harmless].
type normal struct {
	ignored, types diff.Normalizer
	left           time.Duration // for the objects that are still to come
}

func newNormal(ignore []v1alpha1.ResourceIgnoreDifferences) (*normal, error) {
	ignore, err := harmless(ignore)
	if err != nil {
		return nil, err
	}
	ignored, err := normalizers.NewIgnoreNormalizer(ignore, nil, normalizers.IgnoreNormalizerOpts{})
	if err != nil {
		return nil, refuse("its spec.ignoreDifferences cannot be understood: correct the JSON pointers and jq expressions there")
	}
	types, err := normalizers.NewKnownTypesNormalizer(nil)
	if err != nil {
		return nil, fmt.Errorf("the known types cannot be loaded: %w", err)
	}
	return &normal{ignored, types, maxIgnoring}, nil
}

// Normalize implements diff.Normalizer.
func (n *normal) Normalize(o *unstructured.Unstructured) error {
	if err := n.ignored.Normalize(o); err != nil {
		return err
	}
	return n.types.Normalize(o)
}

// of returns the normal form of an object. One that has none is as it is.
func (n *normal) of(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	diff.Normalize(o, diff.WithNormalizer(n), diff.WithLogr(logr.Discard()))
	return o
}

// both returns the normal forms of two objects, as long as those of the
// Application have not taken too long.
func (n *normal) both(was, is *unstructured.Unstructured) (*unstructured.Unstructured, *unstructured.Unstructured, error) {
	if n.left <= 0 {
		return nil, nil, refuse("its spec.ignoreDifferences take more than %s to apply: write fewer expressions, or simpler ones", maxIgnoring)
	}
	start := time.Now()
	was, is = n.of(was), n.of(is)
	n.left -= time.Since(start)
	return was, is, nil
}
