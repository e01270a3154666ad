package argocd

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
)

func TestTheOwnClusterIsToldToWhatIsDeployedThere(t *testing.T) {
	var calls atomic.Int64
	resource := func(name, kind string, verbs ...string) metav1.APIResource {
		return metav1.APIResource{Name: name, Kind: kind, Verbs: verbs}
	}
	answers := map[string]any{
		"/version": version.Info{Major: "1", Minor: "34+"},
		"/api":     metav1.APIVersions{Versions: []string{"v1"}},
		"/apis": metav1.APIGroupList{Groups: []metav1.APIGroup{
			{Name: "apps", Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: "apps/v1", Version: "v1"}}},
			{Name: "metrics.k8s.io", Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: "metrics.k8s.io/v1", Version: "v1"}}},
		}},
		"/api/v1": metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
			resource("pods", "Pod", "list", "watch"), resource("events", "Event", "list", "watch"), resource("bindings", "Binding", "create"),
		}},
		"/apis/apps/v1":           metav1.APIResourceList{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{resource("deployments", "Deployment", "list", "watch")}},
		"/apis/metrics.k8s.io/v1": metav1.APIResourceList{GroupVersion: "metrics.k8s.io/v1", APIResources: []metav1.APIResource{resource("pods", "PodMetrics", "list", "watch")}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		answer, known := answers[r.URL.Path]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	cluster := NewOwnCluster(&rest.Config{Host: server.URL})
	to := func(d v1alpha1.ApplicationDestination) Application {
		return Application{object: &v1alpha1.Application{Spec: v1alpha1.ApplicationSpec{Destination: d}}}
	}
	if got, err := cluster.Environment(t.Context(), to(v1alpha1.ApplicationDestination{Server: "https://elsewhere.example.com"})); got != nil || err != nil || calls.Load() != 0 {
		t.Errorf("another cluster is told as %q, %v", got, err)
	}
	want := []string{"KUBE_VERSION=1.34", "KUBE_API_VERSIONS=apps/v1,apps/v1/Deployment,v1,v1/Pod"}
	for _, d := range []v1alpha1.ApplicationDestination{{Server: v1alpha1.KubernetesInternalAPIServerAddr}, {Name: "in-cluster"}} {
		got, err := cluster.Environment(t.Context(), to(d))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got):\n%s", d, err, diff)
		}
	}
	own := to(v1alpha1.ApplicationDestination{Name: "in-cluster"})
	asked := calls.Load()
	if _, err := cluster.Environment(t.Context(), own); err != nil || calls.Load() != asked {
		t.Errorf("it is asked each time, and gives %v", err)
	}
	// Metrics, which Argo CD never looks at, may be away; what counts may not.
	delete(answers, "/apis/metrics.k8s.io/v1")
	outdated := func(c *OwnCluster) *OwnCluster { c.until = time.Time{}; return c }
	if got, err := NewOwnCluster(&rest.Config{Host: server.URL}).Environment(t.Context(), own); err != nil || !cmp.Equal(want, got) {
		t.Errorf("without metrics it is told as %q, %v", got, err)
	}
	delete(answers, "/apis/apps/v1")
	newer := NewOwnCluster(&rest.Config{Host: server.URL})
	if got, err := newer.Environment(t.Context(), own); err == nil || got != nil || !strings.Contains(err.Error(), "try again later") {
		t.Errorf("a part of the kinds is told as %q, %v", got, err)
	}
	if got, err := outdated(cluster).Environment(t.Context(), own); err != nil || !cmp.Equal(want, got) {
		t.Errorf("after a part of the kinds, the whole ones are told as %q, %v", got, err)
	}
	server.Close()
	if got, err := outdated(cluster).Environment(t.Context(), own); err != nil || !cmp.Equal(want, got) {
		t.Errorf("a cluster that does not answer any more is told as %q, %v", got, err)
	}
	if got, err := NewOwnCluster(&rest.Config{Host: server.URL}).Environment(t.Context(), own); got != nil || err == nil {
		t.Errorf("a cluster that does not answer is told as %q, %v", got, err)
	}
}

// A cluster that does not answer keeps nobody longer than they wait.
func TestNobodyWaitsForTheClusterLongerThanTheyCan(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	cluster := NewOwnCluster(&rest.Config{Host: server.URL})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		_, err := cluster.Environment(ctx, Application{object: &v1alpha1.Application{Spec: v1alpha1.ApplicationSpec{Destination: v1alpha1.ApplicationDestination{Name: "in-cluster"}}}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}
