package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/store"
)

// change is what an informer tells of an object: before is nil for a new one,
// after for one that is gone.
type change struct{ before, after client.Object }

// informer shows what a process has been told of the objects: no more, and no
// sooner.
type informer struct {
	objects map[string]client.Object
	indexes map[string]client.IndexerFunc
}

func newInformer(t *testing.T, told []change) *informer {
	t.Helper()
	i := &informer{objects: map[string]client.Object{}, indexes: map[string]client.IndexerFunc{}}
	if err := store.IndexConfigMaps(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if err := argocd.IndexApplications(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	for _, c := range told {
		i.tell(c)
	}
	return i
}

// IndexField adds an index; no two types have one of the same name.
func (i *informer) IndexField(_ context.Context, _ client.Object, field string, values client.IndexerFunc) error {
	i.indexes[field] = values
	return nil
}

func (i *informer) tell(c change) {
	if c.after == nil {
		delete(i.objects, keyOf(c.before, client.ObjectKeyFromObject(c.before)))
		return
	}
	i.objects[keyOf(c.after, client.ObjectKeyFromObject(c.after))] = c.after
}

// find returns what is stored under an object's name.
func (i *informer) find(o client.Object) client.Object {
	return i.objects[keyOf(o, client.ObjectKeyFromObject(o))]
}

// all is what an informer tells that begins.
func (i *informer) all() []change {
	var all []change
	for _, key := range slices.Sorted(maps.Keys(i.objects)) {
		all = append(all, change{nil, copied(i.objects[key])})
	}
	return all
}

func keyOf(o client.Object, key client.ObjectKey) string { return fmt.Sprintf("%T %s", o, key) }

// Get implements [client.Reader].
func (i *informer) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	found, ok := i.objects[keyOf(o, key)]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", o)}, key.Name)
	}
	switch o := o.(type) {
	case *corev1.ConfigMap:
		*o = *found.(*corev1.ConfigMap).DeepCopy()
	case *v1alpha1.Application:
		*o = *found.(*v1alpha1.Application).DeepCopy()
	case *v1alpha1.AppProject:
		*o = *found.(*v1alpha1.AppProject).DeepCopy()
	}
	return nil
}

// List implements [client.Reader].
func (i *informer) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(opts)
	switch list := list.(type) {
	case *corev1.ConfigMapList:
		list.Items = itemsOf[corev1.ConfigMap](i, o)
	case *v1alpha1.ApplicationList:
		list.Items = itemsOf[v1alpha1.Application](i, o)
	default:
		return fmt.Errorf("nobody lists %T", list)
	}
	return nil
}

func itemsOf[T any](i *informer, o client.ListOptions) []T {
	var found []T
	keys := make([]string, 0, len(i.objects))
	for key, object := range i.objects {
		if _, ok := any(object).(interface{ DeepCopy() *T }); ok && i.matches(object, o) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, strings.Compare)
	for _, key := range keys {
		if object, ok := any(i.objects[key]).(interface{ DeepCopy() *T }); ok {
			found = append(found, *object.DeepCopy())
		}
	}
	return found
}

func (i *informer) matches(object client.Object, o client.ListOptions) bool {
	if o.Namespace != "" && o.Namespace != object.GetNamespace() {
		return false
	}
	if o.FieldSelector == nil {
		return true
	}
	for _, r := range o.FieldSelector.Requirements() {
		if !slices.Contains(i.indexes[r.Field](object), r.Value) {
			return false
		}
	}
	return true
}
