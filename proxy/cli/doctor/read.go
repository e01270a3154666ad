package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/waybill-cd/waybill/proxy/identity"
	"github.com/waybill-cd/waybill/proxy/store/credential"
	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

// The resources that are read.
var (
	configMaps        = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secretObjects     = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	podObjects        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	deploymentsOf     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	leases            = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	applicationsOf    = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
	applicationSetsOf = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applicationsets"}
	projects          = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}
)

// Rights are what [Read] needs to read everything, in the form of
// kubectl create role. What is missing becomes a finding.
const Rights = `In Argo CD's namespace:
  get    configmaps argocd-cm, argocd-cmd-params-cm, argocd-rbac-cm, waybill-plugin
  get    secrets waybill-gates
  list   deployments, pods, applications, applicationsets, appprojects
In Waybill's namespace:
  get    secrets waybill-gates, leases waybill-proxy
  list   deployments, pods, configmaps, secrets
In each further namespace with Applications (application.namespaces; in all of
them where that has a pattern):
  list   applications, applicationsets`

const (
	pageSize = 500
	// maxPages bounds what is read of one kind.
	maxPages = 200

	keyNamespaces = "application.namespaces"
)

// Options say where to read.
type Options struct {
	ArgoCDNamespace string
	Namespace       string
	Now             time.Time
	CLIVersion      string
	ServerVersion   string
}

// Read reads an installation. The error is that Kubernetes cannot be reached at
// all, or does not know who asks; what may not be read is in the installation.
func Read(ctx context.Context, client dynamic.Interface, o Options) (Installation, error) {
	in := Installation{
		Now: o.Now, ArgoCDNamespace: o.ArgoCDNamespace, Namespace: o.Namespace,
		CLIVersion: o.CLIVersion, ServerVersion: o.ServerVersion,
	}
	r := reader{ctx: ctx, client: client}
	argo, own := o.ArgoCDNamespace, o.Namespace

	in.Parameters = get(&r, configMaps, argo, "argocd-cmd-params-cm", decode[ConfigMap])
	in.Settings = get(&r, configMaps, argo, "argocd-cm", decode[ConfigMap])
	in.Policy = get(&r, configMaps, argo, "argocd-rbac-cm", decode[ConfigMap])
	in.Plugin = get(&r, configMaps, argo, pluginMap, decode[ConfigMap])
	in.GatesOfArgo = get(&r, secretObjects, argo, gatesSecret, gateSecret)
	in.Deployments = list(&r, deploymentsOf, []string{argo}, "", decode[Deployment])
	in.Pods = list(&r, podObjects, []string{argo}, labelName+" in ("+serverName+","+repoServerName+")", decode[Pod])
	in.Projects = list(&r, projects, []string{argo}, "", decode[Project])

	namespaces := append([]string{argo}, words(in.Parameters.Value.Data[keyNamespaces])...)
	if slices.ContainsFunc(namespaces, func(n string) bool { return strings.ContainsAny(n, "*?[/") }) {
		namespaces = []string{metav1.NamespaceAll}
	}
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	in.Applications = list(&r, applicationsOf, namespaces, "", boundApplication)
	in.ApplicationSets = list(&r, applicationSetsOf, namespaces, "", decode[ApplicationSet])

	in.OwnDeployments = list(&r, deploymentsOf, []string{own}, "", decode[Deployment])
	in.OwnPods = list(&r, podObjects, []string{own}, labelName+"="+proxyName, decode[Pod])
	in.GatesOfWaybill = get(&r, secretObjects, own, gatesSecret, gateSecret)
	in.Lease = get(&r, leases, own, proxyName, decode[Lease])
	in.Pipelines = list(&r, configMaps, []string{own}, labelKind+"="+kindPipeline, decode[ConfigMap])
	in.Accepted = list(&r, configMaps, []string{own}, labelKind+"="+kindAccepted, decode[ConfigMap])
	in.Repositories = list(&r, secretObjects, []string{own}, credential.LabelType, repository)
	in.Receivers = list(&r, secretObjects, []string{own}, receiver.Label, webhookReceiver)
	return in, r.lost
}

// reader reads from Kubernetes until that cannot be reached.
type reader struct {
	ctx    context.Context
	client dynamic.Interface
	// lost is why nothing more is read.
	lost error
}

// failed keeps the error that makes all further reading vain: Kubernetes does
// not answer, or does not know who asks.
func (r *reader) failed(err error) {
	var status apierrors.APIStatus
	if err != nil && (!errors.As(err, &status) || apierrors.IsUnauthorized(err)) {
		r.lost = err
	}
}

// get reads one object. take returns false for one that is passed over.
func get[T any](r *reader, resource schema.GroupVersionResource, namespace, name string, take func([]byte) (T, bool, error)) Part[T] {
	part := Part[T]{What: resource.Resource + " " + namespace + "/" + name}
	if r.lost != nil {
		part.Err = r.lost
		return part
	}
	object, err := r.client.Resource(resource).Namespace(namespace).Get(r.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		part.Missing = true
		return part
	}
	if err == nil {
		part.Value, _, err = taken(*object, take)
	} else {
		r.failed(err)
	}
	part.Err = err
	return part
}

// list reads all objects of a kind in some namespaces, page by page.
func list[T any](r *reader, resource schema.GroupVersionResource, namespaces []string, selector string, take func([]byte) (T, bool, error)) Part[[]T] {
	part := Part[[]T]{What: resource.Resource + " in " + named(namespaces)}
	for _, namespace := range namespaces {
		next := ""
		for page := 0; page == 0 || next != ""; page++ {
			if r.lost != nil {
				part.Err = r.lost
				return part
			}
			if page == maxPages {
				part.Err = fmt.Errorf("there are more than %d", maxPages*pageSize)
				return part
			}
			found, err := r.client.Resource(resource).Namespace(namespace).List(r.ctx, metav1.ListOptions{LabelSelector: selector, Limit: pageSize, Continue: next})
			if apierrors.IsNotFound(err) {
				// No such kind: Argo CD without ApplicationSets, say.
				break
			}
			if err != nil {
				r.failed(err)
				part.Err = err
				return part
			}
			for _, item := range found.Items {
				value, keep, err := taken(item, take)
				if err != nil {
					part.Err = err
					return part
				}
				if keep {
					part.Value = append(part.Value, value)
				}
			}
			next = found.GetContinue()
		}
	}
	return part
}

func named(namespaces []string) string {
	if len(namespaces) == 1 && namespaces[0] == metav1.NamespaceAll {
		return "all namespaces"
	}
	return "namespace " + strings.Join(namespaces, ", ")
}

func taken[T any](object unstructured.Unstructured, take func([]byte) (T, bool, error)) (value T, keep bool, err error) {
	text, err := object.MarshalJSON()
	if err != nil {
		return value, false, errors.New("it cannot be read")
	}
	if value, keep, err = take(text); err != nil {
		// The decoder may quote what it did not like.
		return value, false, fmt.Errorf("%s is not of the form that this version knows", object.GetName())
	}
	return value, keep, nil
}

func decode[T any](text []byte) (value T, keep bool, err error) {
	err = json.Unmarshal(text, &value)
	return value, true, err
}

// boundApplication passes over Applications that ask for no stage.
func boundApplication(text []byte) (a Application, keep bool, err error) {
	err = json.Unmarshal(text, &a)
	_, keep = a.Meta.Annotations[annotationStage]
	return a, keep, err
}

// secretObject is a Secret as it is read, and forgotten.
type secretObject struct {
	Meta Meta              `json:"metadata"`
	Data map[string][]byte `json:"data"`
}

// gateSecret keeps hashes alone.
func gateSecret(text []byte) (g GateSecret, keep bool, err error) {
	var s secretObject
	if err := json.Unmarshal(text, &s); err != nil {
		return g, false, err
	}
	g.Meta = s.Meta
	g.Hashes = map[string][sha256.Size]byte{}
	values := map[string]string{}
	for gate, value := range s.Data {
		// Both Argo CD and the proxy trim.
		values[gate] = strings.TrimSpace(string(value))
		g.Hashes[gate] = sha256.Sum256([]byte(values[gate]))
	}
	if _, err := identity.NewGates(values); err != nil {
		g.Problem = err.Error()
	}
	return g, true, nil
}

// repository keeps what tells for which repositories a Secret is.
func repository(text []byte) (r Repository, keep bool, err error) {
	var s secretObject
	err = json.Unmarshal(text, &s)
	return Repository{
		Meta: s.Meta, Type: s.Meta.Labels[credential.LabelType], URL: string(s.Data["url"]), Kind: string(s.Data["type"]),
		Complete: len(s.Data["username"])+len(s.Data["password"]) > 0,
	}, true, err
}

// webhookReceiver keeps whether the proxy takes a Secret, by the proxy's own rule.
func webhookReceiver(text []byte) (r Receiver, keep bool, err error) {
	var s secretObject
	if err := json.Unmarshal(text, &s); err != nil {
		return r, false, err
	}
	r.Meta = s.Meta
	if _, err := receiver.New(s.Meta.Name, s.Meta.Labels[receiver.Label], s.Data); err != nil {
		r.Problem = err.Error()
	}
	return r, true, nil
}
