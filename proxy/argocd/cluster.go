package argocd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"golang.org/x/sync/singleflight"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// OwnCluster tells of the cluster that Waybill runs in what Argo CD passes to a
// plugin for Applications that are deployed there. Other clusters only Argo CD
// knows.
type OwnCluster struct {
	config *rest.Config
	asked  singleflight.Group

	mu     sync.Mutex
	until  time.Time // known or failed counts
	known  []string  // the last whole answer
	failed error     // of the last question
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
	return &OwnCluster{config: config}
}

// Environment returns KUBE_VERSION and KUBE_API_VERSIONS for a render of the
// Application; nothing where it is deployed to another cluster. While this one
// does not answer, or not wholly, its last whole answer counts. Without one there
// is an error, which a later try may not meet: a render with fewer versions would
// be another one.
func (c *OwnCluster) Environment(ctx context.Context, a Application) ([]string, error) {
	if to := a.object.Spec.Destination; to.Server != v1alpha1.KubernetesInternalAPIServerAddr && to.Name != inCluster {
		return nil, nil
	}
	if known, err, counts := c.last(); counts {
		return known, err
	}
	// One question for all who wait, each for as long as it can.
	answer := c.asked.DoChan("", func() (any, error) {
		c.keep(c.discover())
		return nil, nil
	})
	select {
	case <-answer:
		known, err, _ := c.last()
		return known, err
	case <-ctx.Done():
		return nil, fmt.Errorf("the cluster's versions are not known in time: %w: try again", ctx.Err())
	}
}

// last returns what is known, and whether it is new enough.
func (c *OwnCluster) last() (known []string, err error, counts bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known != nil {
		return c.known, nil, time.Now().Before(c.until)
	}
	return nil, c.failed, time.Now().Before(c.until)
}

func (c *OwnCluster) keep(known []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.known, c.failed, c.until = known, nil, time.Now().Add(afterDiscovery)
		return
	}
	log.Log.WithName("argocd").Info("the cluster's versions cannot be read", "cause", err.Error(), "known", c.known != nil)
	c.failed = errors.New("the cluster does not tell its versions now, without which charts would render otherwise: try again later, and see that each APIService of it is available")
	c.until = time.Now().Add(afterFailure)
}

// discover asks for what Argo CD's controller asks for (gitops-engine, pkg/utils/
// kube, GetServerVersion and GetAPIResources), and writes as its repo-server does
// (argo-cd, util/argo, APIResourcesToStrings, with kinds). A part of the kinds is
// no answer.
func (c *OwnCluster) discover() ([]string, error) {
	client, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return nil, err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return nil, err
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err = missed(err); err != nil {
		return nil, err
	}
	var all []string
	for _, list := range lists {
		group, _, named := strings.Cut(list.GroupVersion, "/")
		if !named {
			group = "" // the core's
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch") && !excluded(group, r.Kind) {
				all = append(all, list.GroupVersion, list.GroupVersion+"/"+r.Kind)
			}
		}
	}
	slices.Sort(all)
	return []string{
		"KUBE_VERSION=" + strings.ReplaceAll(version.Major+"."+version.Minor, "+", ""),
		"KUBE_API_VERSIONS=" + strings.Join(slices.Compact(all), ","),
	}, nil
}

// missed returns what of a discovery's error keeps kinds from being known that
// count: the servers of metrics and the like may be away.
func missed(err error) error {
	groups, partly := discovery.GroupDiscoveryFailedErrorGroups(err)
	if !partly {
		return err
	}
	for group := range groups {
		if !excluded(group.Group, "") {
			return err
		}
	}
	return nil
}

// excluded tells whether Argo CD never looks at a resource (util/settings,
// coreExcludedResources).
func excluded(group, kind string) bool {
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
