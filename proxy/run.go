package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/waybill-cd/waybill/proxy/api"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/identity"
	"github.com/waybill-cd/waybill/proxy/leader"
	"github.com/waybill-cd/waybill/proxy/preview"
	"github.com/waybill-cd/waybill/proxy/source"
	sourcecache "github.com/waybill-cd/waybill/proxy/source/cache"
	"github.com/waybill-cd/waybill/proxy/source/chart"
	gitsource "github.com/waybill-cd/waybill/proxy/source/git"
	"github.com/waybill-cd/waybill/proxy/source/image"
	"github.com/waybill-cd/waybill/proxy/source/pace"
	"github.com/waybill-cd/waybill/proxy/source/registry"
	"github.com/waybill-cd/waybill/proxy/source/registry/cloud"
	"github.com/waybill-cd/waybill/proxy/store"
)

// leaseName is the Lease of the replica that runs the loops.
const leaseName = "waybill-proxy"

// looksPath is where the replica that looks tells the others of its last looks.
const looksPath = "/looks"

// run puts the parts together and runs them until the context ends.
func run(ctx context.Context, s settings) error {
	gates, err := identity.ReadGates(s.gates)
	if err != nil {
		return err
	}
	config, err := restConfig(s.kubeconfig)
	if err != nil {
		return err
	}
	lease, err := leader.NewLease(config, s.namespace, leaseName, os.Getenv("POD_UID"), leader.Address(s.metricsListen, os.Getenv("POD_IP")))
	if err != nil {
		return err
	}
	mgr, err := manager(config, s, lease)
	if err != nil {
		return err
	}
	lease.Record(mgr.GetEventRecorderFor("waybill"))
	if err := errors.Join(store.IndexConfigMaps(ctx, mgr.GetFieldIndexer()), argocd.IndexApplications(ctx, mgr.GetFieldIndexer())); err != nil {
		return fmt.Errorf("cannot index what is watched: %w", err)
	}
	records := store.New(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetClient(), s.namespace)
	applications := argocd.NewApplications(mgr.GetClient(), mgr.GetClient(), s.argocd)
	hosts := pace.New(s.registryRequests) // one for all: a host may be of several kinds
	git, err := gitrepo.New(records, gitrepo.Options{Dir: s.cache, Pace: hosts, Requested: source.Count})
	if err != nil {
		return err
	}
	previews, err := preview.New(git, preview.Options{Plugin: s.plugin, Dir: s.cache, Cluster: argocd.NewOwnCluster(config).Environment})
	if err != nil {
		return err
	}
	known, err := sourcecache.Open(filepath.Join(s.cache, "sources"), sourcecache.Options{})
	if err != nil {
		return err
	}
	defer known.Close()
	if err := metrics.Registry.Register(registry.Requests); err != nil {
		return fmt.Errorf("cannot count requests to registries: %w", err)
	}
	registries := registry.New(registry.Options{
		UserAgent: "waybill-proxy/" + version, Pace: hosts,
		Keychain: cloud.Keychain(), KeychainHosts: list(s.cloudRegistries),
	})
	charts, err := chart.New(chart.Options{Registries: registries, Known: known, Credentials: records, Dir: s.cache})
	if err != nil {
		return err
	}
	sources := source.Sources{
		Image: image.New(image.Options{Registries: registries, Cache: known, Credentials: records}),
		Git:   gitsource.New(git),
		Chart: charts,
	}
	e := engine.New(records, applications, git, sources, previews, mgr.GetEventRecorderFor("waybill"), engine.Options{
		PromotionTimeout: s.timeout, Retention: s.retention, Now: time.Now, Charts: charts,
		LooksElsewhere: leader.NewAsker[map[string]engine.Look](lease, looksPath, gates.Token(looksPath)).Ask,
	})
	if err := e.Loops(mgr); err != nil {
		return fmt.Errorf("cannot set up the loops: %w", err)
	}
	server := &listener{what: "the API", address: s.listen, handler: api.New(e, applications, argocd.NewPolicy(mgr.GetClient(), s.argocd), gates)}
	if err := mgr.Add(server); err != nil {
		return err
	}
	receivers, err := webhooks(ctx, mgr, s, e)
	if err != nil {
		return err
	}
	alive := &healthz.Handler{Checks: map[string]healthz.Checker{"loops": e.Alive}}
	ready := &healthz.Handler{Checks: map[string]healthz.Checker{"informers": synced(mgr.GetCache()), "api": server.ready, "webhooks": receivers}}
	if err := errors.Join(
		mgr.AddMetricsServerExtraHandler(looksPath, leader.Handler(gates.Token(looksPath), e.Looks)),
		mgr.AddMetricsServerExtraHandler("/healthz", http.StripPrefix("/healthz", alive)),
		mgr.AddMetricsServerExtraHandler("/readyz", http.StripPrefix("/readyz", ready)),
	); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kubernetes: %w: run in a cluster, or give --kubeconfig", err)
	}
	// The limits of one busy replica; API Priority and Fairness guards the rest.
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "waybill-proxy/" + version
	return config, nil
}

// eventLimits bound the Events of one pipeline, all of which are of its one
// ConfigMap. The defaults are for objects with a life of their own: after 25
// Events they drop all but one in five minutes, so that nobody was told why a
// promotion waits.
var eventLimits = record.CorrelatorOptions{BurstSize: 300, QPS: 1, MaxEvents: 100}

// manager makes the manager, whose informers hold no more than Waybill's rights
// and needs: its own records, Argo CD's policy, Applications, AppProjects and
// Git credentials.
func manager(config *rest.Config, s settings, lease resourcelock.Interface) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	isRecord, err := labels.NewRequirement(store.LabelKind, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	isRepository, err := labels.NewRequirement(store.LabelSecretType, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	applications := map[string]cache.Config{}
	for _, namespace := range s.applicationNamespaces() {
		applications[namespace] = cache.Config{}
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache: cache.Options{
			DefaultTransform: slim,
			ByObject: map[client.Object]cache.ByObject{
				&corev1.ConfigMap{}: {Namespaces: map[string]cache.Config{
					s.namespace: {LabelSelector: labels.NewSelector().Add(*isRecord)},
					s.argocd:    {FieldSelector: fields.OneTermEqualSelector("metadata.name", argocd.RBACConfigMap)},
				}},
				&corev1.Secret{}: {Namespaces: map[string]cache.Config{
					s.namespace: {LabelSelector: labels.NewSelector().Add(*isRepository)},
				}},
				&v1alpha1.Application{}: {Namespaces: applications},
				&v1alpha1.AppProject{}:  {Namespaces: map[string]cache.Config{s.argocd: {}}},
			},
		},
		LeaderElection:                true,
		LeaderElectionReleaseOnCancel: true,

		LeaderElectionResourceLockInterface: lease,

		Metrics:          metricsserver.Options{BindAddress: s.metricsListen},
		EventBroadcaster: record.NewBroadcasterWithCorrelatorOptions(eventLimits), //nolint:staticcheck // it may live as long as the process, which the manager does
	})
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kubernetes: %w", err)
	}
	return mgr, nil
}

// slim drops what nobody here reads and what makes up most of an Application.
func slim(o any) (any, error) {
	if object, ok := o.(client.Object); ok {
		object.SetManagedFields(nil)
	}
	if app, ok := o.(*v1alpha1.Application); ok {
		app.Status.Resources, app.Status.History, app.Status.Summary = nil, nil, v1alpha1.ApplicationSummary{}
		if state := app.Status.OperationState; state != nil && state.SyncResult != nil {
			state.SyncResult.Resources = nil
		}
	}
	return o, nil
}

// synced is the readiness check: a replica that has not seen the state yet
// must not answer for it.
func synced(informers cache.Cache) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if !informers.WaitForCacheSync(ctx) {
			return errors.New("the informers have not seen the state yet")
		}
		return nil
	}
}
