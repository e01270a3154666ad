package argocd

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/argoproj/argo-cd/v2/assets"
	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v2/server/rbacpolicy"
	"github.com/argoproj/argo-cd/v2/util/rbac"
	"github.com/golang-jwt/jwt/v4"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RBACConfigMap is where Argo CD's administrators write the policy.
const RBACConfigMap = "argocd-rbac-cm"

// The keys of the policy's ConfigMap
// (argo-cd, docs/operator-manual/argocd-rbac-cm.yaml).
const (
	keyDefaultRole = "policy.default"
	keyMatchMode   = "policy.matchMode"
)

// actionPrefix begins the actions that Argo CD's policy grants on stages, in the
// form that it has for resource actions: action/<group>/<kind>/<name>.
const actionPrefix = "action/waybill.dev/Stage/"

// Policy asks Argo CD's own policy: the ConfigMap argocd-rbac-cm and the roles
// of AppProjects, evaluated by Argo CD's own code. It knows names, not groups:
// a client can forge the groups that Argo CD hands on for a user who has none.
type Policy struct {
	cached    client.Reader
	namespace string

	mu       sync.Mutex
	version  string // of the ConfigMap that enforcer has
	enforcer *rbac.Enforcer
}

// NewPolicy returns the policy of the Argo CD in a namespace.
func NewPolicy(cached client.Reader, namespace string) *Policy {
	return &Policy{cached: cached, namespace: namespace}
}

// Action returns the name of an action in Argo CD's policy.
func Action(verb string) string { return actionPrefix + verb }

// Allows tells whether a user may do an action ("promote", "approve") to an
// Application.
func (p *Policy) Allows(ctx context.Context, username, verb, object string) (bool, error) {
	return p.enforce(ctx, username, Action(verb), object)
}

// Get is the action in Argo CD's policy of looking at an Application.
const Get = rbac.ActionGet

// AllowsGet tells whether a user may look at an Application. As the policy knows
// no groups here, it tells no where Argo CD itself, which knows them, may tell yes.
func (p *Policy) AllowsGet(ctx context.Context, username, object string) (bool, error) {
	return p.enforce(ctx, username, Get, object)
}

func (p *Policy) enforce(ctx context.Context, username, action, object string) (bool, error) {
	// A name that is a role's would be given what the role is given.
	if username == "" || strings.HasPrefix(username, "role:") {
		return false, nil
	}
	enforcer, err := p.current(ctx)
	if err != nil {
		return false, err
	}
	claims := jwt.MapClaims{"sub": username}
	subject := rbacpolicy.NewRBACPolicyEnforcer(enforcer, projects{ctx, p.cached, p.namespace})
	return subject.EnforceClaims(claims, claims, rbac.ResourceApplications, action, object), nil
}

// current returns an enforcer of the policy as it is now.
func (p *Policy) current(ctx context.Context) (*rbac.Enforcer, error) {
	var cm corev1.ConfigMap
	err := p.cached.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: RBACConfigMap}, &cm)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("cannot read Argo CD's policy, ConfigMap %s/%s: %w", p.namespace, RBACConfigMap, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.enforcer != nil && p.version == cm.ResourceVersion {
		return p.enforcer, nil
	}
	builtin, err := assets.Embedded.ReadFile("builtin-policy.csv")
	if err != nil {
		return nil, fmt.Errorf("cannot read Argo CD's built-in policy: %w", err)
	}
	enforcer := rbac.NewEnforcer(nil, p.namespace, RBACConfigMap, nil)
	enforcer.SetMatchMode(cm.Data[keyMatchMode])
	enforcer.SetDefaultRole(cm.Data[keyDefaultRole])
	if err := enforcer.SetBuiltinPolicy(string(builtin)); err != nil {
		return nil, fmt.Errorf("cannot load Argo CD's built-in policy: %w", err)
	}
	if err := enforcer.SetUserPolicy(rbac.PolicyCSV(cm.Data)); err != nil {
		return nil, fmt.Errorf("Argo CD's policy, ConfigMap %s/%s, is not valid, so nothing is allowed: %w", p.namespace, RBACConfigMap, err)
	}
	p.enforcer, p.version = enforcer, cm.ResourceVersion
	return enforcer, nil
}

// projects is Argo CD's lister of AppProjects over our informers.
type projects struct {
	ctx       context.Context
	cached    client.Reader
	namespace string
}

// List returns the AppProjects that a selector matches.
func (p projects) List(selector labels.Selector) ([]*v1alpha1.AppProject, error) {
	var list v1alpha1.AppProjectList
	if err := p.cached.List(p.ctx, &list, client.InNamespace(p.namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	all := make([]*v1alpha1.AppProject, len(list.Items))
	for i := range list.Items {
		all[i] = &list.Items[i]
	}
	return all, nil
}

// Get returns an AppProject.
func (p projects) Get(name string) (*v1alpha1.AppProject, error) {
	var project v1alpha1.AppProject
	err := p.cached.Get(p.ctx, client.ObjectKey{Namespace: p.namespace, Name: name}, &project)
	return &project, err
}

// PolicyObject returns the name that Argo CD's policy has for an Application:
// project/name, with the namespace between where it is not Argo CD's own.
func (p *Policy) PolicyObject(project, namespace, name string) string {
	if namespace == p.namespace {
		return project + "/" + name
	}
	return project + "/" + namespace + "/" + name
}
