package preview

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Each of a hundred lines stands for just one in a hundred, and the two orders
// have few neighbours in common: the most that a comparison can be asked for.
func TestLinesThatTakeTooLongToCompareAreNotCompared(t *testing.T) {
	object := func(step int) *unstructured.Unstructured {
		var text strings.Builder
		for i := range 9000 {
			fmt.Fprintf(&text, "line %d\n", (i*step+i/100)%100)
		}
		return &unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap", "data": map[string]any{"a": text.String()}}}
	}
	text, clipped, err := unified(object(1), object(37), maxDiff)
	if err != nil || !clipped || text != "" {
		t.Errorf("clipped: %v, %v, %d bytes", clipped, err, len(text))
	}
}

func TestLargeObjectsWithFewEqualLinesAreCompared(t *testing.T) {
	object := func(word string) *unstructured.Unstructured {
		data := map[string]any{}
		for i := range 5000 {
			data[fmt.Sprint("k", i)] = "same"
		}
		data["k7"] = word
		return &unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap", "data": data}}
	}
	text, clipped, err := unified(object("before"), object("after"), maxDiff)
	if err != nil || clipped || !strings.Contains(text, "-  k7: before\n+  k7: after\n") {
		t.Errorf("clipped: %v, %v:\n%s", clipped, err, text)
	}
}

func TestManifestsAreReadForAsLongAsThereIsTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	text := []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}\n")
	if all, err := parse(ctx, text); err != nil || len(all) != 2 {
		t.Errorf("%d objects, %v", len(all), err)
	}
	cancel()
	if _, err := parse(ctx, text); !errors.Is(err, errTime) {
		t.Errorf("error %v", err)
	}
}

func TestTheTimeOfIgnoringIsThatOfAllObjectsTogether(t *testing.T) {
	n, err := newNormal([]v1alpha1.ResourceIgnoreDifferences{{Group: "*", Kind: "*", JQPathExpressions: []string{".data.a"}}})
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": "b"}}}
	before := n.left
	if _, _, err := n.both(o, o); err != nil || n.left >= before {
		t.Errorf("%s of %s are left, %v", n.left, before, err)
	}
	n.left = 0
	if _, _, err := n.both(o, o); !errors.As(err, new(*Refusal)) {
		t.Errorf("error %v", err)
	}
}

// Hooks have no name. That they are many is for whoever writes the manifests to say.
func TestManyObjectsWithoutANameAreToldApartInTime(t *testing.T) {
	const many = 100_000
	all := make([]*unstructured.Unstructured, many)
	for i := range all {
		all[i] = &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"generateName": "hook-"}}}
	}
	named := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "hook-"}}}
	for name, all := range map[string][]*unstructured.Unstructured{"before": append(all, named), "behind": append([]*unstructured.Unstructured{named}, all...)} {
		if n := len(index(all)); n != many+1 {
			t.Errorf("with one that has their name %s them, there are %d, want %d", name, n, many+1)
		}
	}
}

func TestThatImagesAreLeftOutIsTold(t *testing.T) {
	pod := func(format string, images int) []*unstructured.Unstructured {
		var containers []any
		for i := range images {
			containers = append(containers, map[string]any{"image": fmt.Sprintf(format, i)})
		}
		return []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "a"}, "spec": map[string]any{"containers": containers}}}}
	}
	for format, bound := range map[string]int{"registry.example.com/i%d": maxListed, "registry.example.com/shop:v%d": maxShown} {
		for images, clipped := range map[int]bool{bound: false, bound + 1: true} {
			var a Application
			a.compareImages(nil, pod(format, images))
			shown := 0
			for _, image := range a.Images {
				shown += len(image.After)
			}
			if shown != bound || a.Clipped != clipped {
				t.Errorf("of %d images like %s, %d are shown, clipped: %v", images, format, shown, a.Clipped)
			}
		}
	}
}
