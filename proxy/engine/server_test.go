package engine

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// kinds are those of objects that the proxy knows.
var kinds = sync.OnceValues(func() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
})

// newServer returns a stand-in for the API server that tells of each change, and
// what it has stored. It refuses what the real one refuses and the fake client
// does not.
func newServer(t *testing.T, objects []client.Object, tell func(change)) (client.WithWatch, *informer) {
	t.Helper()
	scheme, err := kinds()
	if err != nil {
		t.Fatal(err)
	}
	stored := newInformer(t, nil)
	told := func(o client.Object, do func() error) error {
		before := stored.find(o)
		if err := do(); err != nil {
			return err
		}
		c := change{before, copied(o)}
		stored.tell(c)
		tell(c)
		return nil
	}
	fakes := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	for _, o := range objects {
		if err := fakes.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
		stored.tell(change{nil, o})
	}
	return interceptor.NewClient(fakes, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return told(o, func() error { return w.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if cm, ok := stored.find(o).(*corev1.ConfigMap); ok && cm.Immutable != nil && *cm.Immutable {
				return apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, o.GetName(), nil)
			}
			return told(o, func() error { return w.Update(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			c := change{before: stored.find(o)}
			if err := w.Delete(ctx, o, opts...); err != nil {
				return err
			}
			stored.tell(c)
			tell(c)
			return nil
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			err := told(o, func() error { return w.Patch(ctx, o, p, opts...) })
			if err != nil && p.Type() == types.JSONPatchType && strings.Contains(err.Error(), "test failed") {
				return apierrors.NewInvalid(schema.GroupKind{Kind: "Application"}, o.GetName(), nil)
			}
			return err
		},
	}), stored
}

// fault is what goes wrong with one write.
type fault string

const (
	none        fault = "nothing"
	killedAfter fault = "the process is killed after it"
	replyLost   fault = "it is made, and its reply is lost"
	unavailable fault = "the server is unavailable"
	overtaken   fault = "somebody else writes first"
)

// faults are those that are made at every write in turn. To all others, a
// process that is killed before a write is one that was killed after the write
// before, and one whose write was refused is one that lost against another.
var faults = []fault{killedAfter, replyLost, overtaken}

var (
	errKilled = errors.New("the process was killed")
	errLost   = errors.New("the connection was reset")
)

// link is what one process of the proxy reaches the world by. All of its writes,
// pushes included, pass [link.write].
type link struct {
	client.WithWatch // the API server
	cached           *informer
	git              *gitHost
	images           *registry
	charts           *chartHost
	killed           bool
	// breaks tells what goes wrong with a write.
	breaks func(what string) fault
}

func (l *link) write(what string, overtake, do func() error) error {
	if l.killed {
		return errKilled
	}
	switch l.breaks(what) {
	case killedAfter:
		if err := do(); err != nil {
			return err
		}
		l.killed = true
		return errKilled
	case replyLost:
		if err := do(); err != nil {
			return err
		}
		return errLost
	case unavailable:
		return apierrors.NewServiceUnavailable("try again")
	case overtaken:
		if err := overtake(); err != nil {
			return err
		}
	case none:
	}
	return do()
}

// newLink connects a process to the API server, to Git and to registries.
func newLink(w *world, cached *informer, breaks func(what string) fault) *link {
	l := &link{cached: cached, git: w.git, images: w.images, charts: w.charts, breaks: breaks}
	l.WithWatch = interceptor.NewClient(w.server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if l.killed {
				return errKilled
			}
			return c.Get(ctx, key, o, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			first := func() error { return c.Create(ctx, copied(o)) }
			return l.write("create "+o.GetName(), first, func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			first := func() error { return touch(ctx, c, o) }
			return l.write("update "+o.GetName(), first, func() error { return c.Update(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			first := func() error { return touch(ctx, c, o) }
			return l.write("delete "+o.GetName(), first, func() error { return c.Delete(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			first := func() error { return touch(ctx, c, o) }
			return l.write("patch "+o.GetName(), first, func() error { return c.Patch(ctx, o, p, opts...) })
		},
	})
	return l
}

func copied(o client.Object) client.Object {
	other, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		panic("the copy of an object is none")
	}
	return other
}

// touch changes an object in a way that concerns nobody: its version is another.
func touch(ctx context.Context, c client.Client, o client.Object) error {
	other := copied(o)
	if err := c.Get(ctx, client.ObjectKeyFromObject(o), other); err != nil {
		return client.IgnoreNotFound(err)
	}
	annotations := map[string]string{}
	maps.Copy(annotations, other.GetAnnotations())
	annotations["example.com/touched"] = other.GetResourceVersion()
	other.SetAnnotations(annotations)
	return c.Update(ctx, other)
}
