package argocd

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// OwnCluster tells of the cluster that Waybill runs in what Argo CD passes to a
// plugin for Applications that are deployed there. Other clusters only Argo CD
// knows.
type OwnCluster struct {
	config  *rest.Config
	kubectl *kube.KubectlCmd

	mu    sync.Mutex
	until time.Time
	known []string
}

const (
	discoveryTimeout = 5 * time.Second
	// afterDiscovery is how long an answer counts: Argo CD too learns of new
	// kinds with some delay.
	afterDiscovery = 5 * time.Minute
	afterFailure   = 30 * time.Second
	inCluster      = "in-cluster" // Argo CD's name of its own
)

// NewOwnCluster returns the cluster of a configuration.
func NewOwnCluster(config *rest.Config) *OwnCluster {
	config = rest.CopyConfig(config)
	config.Timeout = discoveryTimeout
	return &OwnCluster{config: config, kubectl: &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}}
}

// Environment returns KUBE_VERSION and KUBE_API_VERSIONS for a render of the
// Application; nothing where it is deployed to another cluster, or this one does
// not answer.
func (c *OwnCluster) Environment(a Application) []string {
	if to := a.object.Spec.Destination; to.Server != v1alpha1.KubernetesInternalAPIServerAddr && to.Name != inCluster {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.until) {
		return c.known
	}
	known, err := c.discover()
	if err != nil {
		log.Log.WithName("argocd").Info("the cluster's versions are not known, previews of charts go without", "cause", err.Error())
		c.until = time.Now().Add(afterFailure)
		return c.known
	}
	c.known, c.until = known, time.Now().Add(afterDiscovery)
	return known
}

// discover asks as Argo CD's controller does, and writes as its repo-server does
// (argo-cd, util/argo, APIResourcesToStrings, with kinds).
func (c *OwnCluster) discover() ([]string, error) {
	version, err := c.kubectl.GetServerVersion(c.config)
	if err != nil {
		return nil, err
	}
	resources, err := c.kubectl.GetAPIResources(c.config, false, excluded{})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, r := range resources {
		group := r.GroupVersionResource.GroupVersion().String()
		all = append(all, group, group+"/"+r.GroupKind.Kind)
	}
	slices.Sort(all)
	return []string{
		fmt.Sprintf("KUBE_VERSION=%s", strings.ReplaceAll(version, "+", "")),
		"KUBE_API_VERSIONS=" + strings.Join(slices.Compact(all), ","),
	}, nil
}

// excluded are the resources that Argo CD never looks at (util/settings,
// coreExcludedResources).
type excluded struct{}

// IsExcludedResource implements kube.ResourceFilter.
func (excluded) IsExcludedResource(group, kind, _ string) bool {
	switch group {
	case "events.k8s.io", "metrics.k8s.io":
		return true
	case "":
		return kind == "Event"
	case "coordination.k8s.io":
		return kind == "Lease"
	default:
		return false
	}
}
