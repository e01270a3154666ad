package engine

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/store"
)

// newWorld makes a world with one pipeline, shop, and its objects.
func newWorld(t *testing.T, document string, objects ...client.Object) *world {
	t.Helper()
	w := assemble(t, append([]client.Object{pipelineMap("shop", document), project("shop")}, objects...))
	w.git.push(shopRepo, "main", map[string][]byte{"README": []byte("The shop")})
	w.restart()
	w.pass(0)
	return w
}

// assemble makes a world of which nothing runs yet.
func assemble(t *testing.T, objects []client.Object) *world {
	t.Helper()
	w := &world{
		t: t, git: newGitHost(), clock: &clock{noon}, events: &events{}, later: map[any]time.Time{},
		images: &registry{tags: map[string]string{}, fails: map[string]error{}, looked: func() {}, spoil: func(*freight.Offer) {}}, charts: &chartHost{},
		breaks: func(string) fault { return none }, killed: func() {},
		elsewhere: func() map[string]Look { return nil },
	}
	w.argo = newArgoCD(w)
	w.git.pushed = func() { w.enqueue(argoKey) }
	w.server, w.seen = newServer(t, objects, func(c change) { w.told = append(w.told, c) })
	w.people = w.replica(newLink(w, w.seen, func(string) fault { return none }))
	return w
}

// fork makes another world that is where this one is, after a restart.
func (w *world) fork(t *testing.T) *world {
	t.Helper()
	var objects []client.Object
	for _, c := range w.seen.all() {
		objects = append(objects, c.after)
	}
	other := assemble(t, objects)
	other.clock.now = w.clock.now
	for branch, commits := range w.git.branches {
		other.git.branches[branch] = slices.Clone(commits)
	}
	maps.Copy(other.images.tags, w.images.tags)
	maps.Copy(other.argo.operations, w.argo.operations)
	other.argo.asleep = w.argo.asleep
	other.restart()
	other.pass(0)
	return other
}

func (w *world) replica(l *link) *Engine {
	return New(
		store.New(l.cached, l, l, namespace), argocd.NewApplications(l.cached, l, argocdNamespace), l, l, l, w.events,
		Options{
			PromotionTimeout: promotionTimeout, Retention: retention, Now: func() time.Time { return w.clock.now }, Charts: l,
			LooksElsewhere: func(context.Context) map[string]Look { return w.elsewhere() },
		},
	)
}

// restart puts a new process in the place of the one that ran the loops: it
// remembers nothing, and its informers show it all that there is.
func (w *world) restart() {
	w.t.Helper()
	w.told, w.due, w.later = w.seen.all(), []any{argoKey}, map[any]time.Time{}
	w.link = newLink(w, newInformer(w.t, w.told), func(what string) fault {
		w.writes = append(w.writes, what)
		return w.breaks(what)
	})
	w.engine = w.replica(w.link)
}

func pipelineMap(name, document string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{store.LabelKind: store.KindPipeline}},
		Data:       map[string]string{pipeline.Key: document},
	}
}
