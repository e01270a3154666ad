package preview

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/waybill-cd/waybill/proxy/argocd"
)

// Application is what a promotion would change in one Application.
type Application struct {
	Namespace, Name string
	// Digest is that of the manifests with the freight; empty where there are
	// none.
	Digest string
	// Problem is why there are none, in one sentence.
	Problem string
	// Today is why the manifests as they are cannot be rendered, as before the
	// first promotion. Everything is then Added.
	Today string
	// Prunes tells whether the promotion's sync deletes what is in Pruned.
	Prunes bool
	// Total counts the manifests with the freight.
	Total int
	// Added, Changed and Pruned are sorted by group, kind, namespace and name.
	Added   []Resource
	Changed []Change
	Pruned  []Resource
	Images  []Image
	CRDs    []CRD
	// Clipped tells that a list, or a difference, is longer than what is shown.
	Clipped bool
}

// Resource names one object.
type Resource struct {
	Group, Version, Kind string
	Namespace, Name      string
}

// Change is what changes in one object.
type Change struct {
	Resource
	// Diff is a unified difference of YAML, in which no Secret's value stands.
	Diff string
	// Clipped tells that the difference is longer than that.
	Clipped bool
	// Immutable are the fields that change and that Kubernetes does not let
	// change: the sync will fail, unless it replaces the object.
	Immutable []string
}

// CRD is a custom resource definition that changes.
type CRD struct {
	Name string
	// Goes tells that it is pruned, and with it all objects of its kind.
	Goes bool
	// Versions are those that it no longer serves.
	Versions []string
}

// Bounds of what is shown of one Application.
const (
	maxListed = 1000
	maxDiff   = 32 << 10  // bytes, of one object
	maxDiffs  = 512 << 10 // bytes, of all
	maxText   = 256 << 10 // bytes of an object that lines are compared of
	maxLines  = 10_000    // of such an object
	// maxCost bounds the steps of comparing the lines of one object; some seconds.
	maxCost = 50_000_000
)

// Compare renders an Application as it is and as it would be, and tells the
// difference. That the candidate cannot be rendered is an answer, and no error.
func (r *Renderer) Compare(ctx context.Context, app argocd.Application, now, next Tree) (Application, error) {
	result := Application{Namespace: app.Namespace, Name: app.Name, Prunes: app.Prunes()}
	today, candidate := r.both(ctx, app, now, next)
	var err error
	if result.Today, err = told(today.err); err != nil {
		return result, err
	}
	if result.Problem, err = told(candidate.err); err != nil || result.Problem != "" {
		return result, err
	}
	select {
	case r.comparing <- struct{}{}:
		defer func() { <-r.comparing }()
	case <-ctx.Done():
		return result, errTime
	}
	before, err := parse(ctx, today.text)
	unread, err := told(err)
	if err != nil {
		return result, err
	}
	result.Today = cmp.Or(result.Today, unread)
	after, err := parse(ctx, candidate.text)
	if result.Problem, err = told(err); err != nil || result.Problem != "" {
		return result, err
	}
	result.Digest, result.Total = candidate.digest, len(after)
	normal, err := newNormal(app.IgnoreDifferences())
	if result.Problem, err = told(err); err != nil || result.Problem != "" {
		return result, err
	}
	return result, result.fill(ctx, before, after, normal)
}

// told takes a refusal for what it is: a sentence.
func told(err error) (string, error) {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Sentence, nil
	}
	return "", err
}

// fill compares the objects.
func (a *Application) fill(ctx context.Context, before, after []*unstructured.Unstructured, normal *normal) error {
	a.compareImages(before, after)
	old, younger := index(before), index(after)
	left := maxDiffs
	for _, key := range merged(old, younger) {
		was, is := old[key], younger[key]
		switch {
		case was == nil:
			a.Added = listed(a, a.Added, resourceOf(is))
			continue
		case is == nil:
			a.Pruned = listed(a, a.Pruned, resourceOf(was))
			if crd := definition(was, nil); crd != nil {
				a.CRDs = listed(a, a.CRDs, *crd)
			}
			continue
		case same(was, is):
			continue
		}
		// Normalising runs expressions of whoever may edit the Application, which
		// take their time.
		if ctx.Err() != nil {
			return errTime
		}
		var err error
		if was, is, err = normal.both(was, is); err != nil {
			return err
		}
		if same(was, is) {
			continue
		}
		change, err := difference(was, is, &left)
		if err != nil {
			return err
		}
		a.Clipped = a.Clipped || change.Clipped
		a.Changed = listed(a, a.Changed, change)
		if crd := definition(was, is); crd != nil {
			a.CRDs = listed(a, a.CRDs, *crd)
		}
	}
	return nil
}

// listed appends to a list that is bounded.
func listed[T any](a *Application, list []T, item T) []T {
	if len(list) >= maxListed {
		a.Clipped = true
		return list
	}
	return append(list, item)
}

func same(a, b *unstructured.Unstructured) bool {
	x, errX := json.Marshal(a.Object)
	y, errY := json.Marshal(b.Object)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// difference tells what changes in an object.
func difference(was, is *unstructured.Unstructured, left *int) (Change, error) {
	change := Change{Resource: resourceOf(is), Immutable: immutable(was, is)}
	was, is, err := hidden(was, is)
	if err != nil {
		return change, err
	}
	change.Diff, change.Clipped, err = unified(was, is, min(maxDiff, *left))
	*left -= len(change.Diff)
	return change, err
}

// definition tells what happens to a custom resource definition; nil for what is
// none. is may be nil for one that goes.
func definition(was, is *unstructured.Unstructured) *CRD {
	if was.GetKind() != "CustomResourceDefinition" || was.GroupVersionKind().Group != "apiextensions.k8s.io" {
		return nil
	}
	crd := &CRD{Name: was.GetName(), Goes: is == nil}
	if is == nil {
		return crd
	}
	now := served(is)
	for _, version := range served(was) {
		if !slices.Contains(now, version) {
			crd.Versions = append(crd.Versions, version)
		}
	}
	return crd
}

func served(crd *unstructured.Unstructured) []string {
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		return nil
	}
	var names []string
	for _, v := range versions {
		version, _ := v.(map[string]any)
		name, _ := version["name"].(string)
		if on, _ := version["served"].(bool); on {
			names = append(names, name)
		}
	}
	return names
}
