package argocd_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/proxy/argocd"
)

func rbac(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: control, Name: argocd.RBACConfigMap}, Data: data}
}

// role adds a role with a policy, and groups that have it, to a project.
func role(name, policy string, groups ...string) func(*v1alpha1.AppProject) {
	return func(p *v1alpha1.AppProject) {
		p.Spec.Roles = append(p.Spec.Roles, v1alpha1.ProjectRole{Name: name, Policies: []string{policy}, Groups: groups})
	}
}

const promoteShop = "applications, action/waybill.dev/Stage/promote, shop/*, allow\n"

func TestWhoMayDoWhatIsWrittenInArgoCDsPolicy(t *testing.T) {
	policy := func(csv string) map[string]string { return map[string]string{"policy.csv": csv} }
	type question struct{ user, verb, object string }
	for name, test := range map[string]struct {
		rbac    map[string]string
		objects []client.Object
		yes     []question
		no      []question
	}{
		"the built-in policy": {
			yes: []question{{"admin", "promote", "shop/a"}, {"admin", "approve", "shop/team-a/a"}},
			no:  []question{{"alice", "promote", "shop/a"}, {"role:admin", "promote", "shop/a"}, {"role:readonly", "promote", "shop/a"}, {"", "promote", "shop/a"}},
		},
		"a user": {
			rbac: policy("p, alice, " + promoteShop),
			yes:  []question{{"alice", "promote", "shop/a"}},
			no:   []question{{"alice", "approve", "shop/a"}, {"alice", "promote", "books/a"}, {"Alice", "promote", "shop/a"}, {"alice ", "promote", "shop/a"}, {"bob", "promote", "shop/a"}},
		},
		"a role": {
			rbac: policy("p, role:qa, applications, action/waybill.dev/Stage/approve, shop/a, allow\ng, bob@example.com, role:qa\n"),
			yes:  []question{{"bob@example.com", "approve", "shop/a"}},
			no:   []question{{"bob@example.com", "approve", "shop/b"}, {"bob@example.com", "promote", "shop/a"}, {"role:qa", "approve", "shop/a"}},
		},
		"all actions": {
			rbac: policy("p, alice, applications, action/*, shop/*, allow\n"),
			yes:  []question{{"alice", "promote", "shop/a"}, {"alice", "approve", "shop/a"}},
		},
		"other rights are not this one": {
			rbac: policy("p, alice, applications, sync, shop/*, allow\np, alice, applications, update, shop/*, allow\np, alice, applications, override, shop/*, allow\np, alice, extensions, invoke, *, allow\np, alice, applications, action/apps/Deployment/restart, shop/*, allow\n"),
			no:   []question{{"alice", "promote", "shop/a"}, {"alice", "approve", "shop/a"}},
		},
		"a denial wins": {
			rbac: policy("p, alice, " + promoteShop + "p, alice, applications, action/waybill.dev/Stage/promote, shop/prod, deny\n"),
			yes:  []question{{"alice", "promote", "shop/a"}},
			no:   []question{{"alice", "promote", "shop/prod"}},
		},
		"several files": {
			rbac: map[string]string{"policy.csv": "p, alice, " + promoteShop, "policy.team.csv": "p, bob, " + promoteShop, "policy.note.txt": "p, carol, " + promoteShop},
			yes:  []question{{"alice", "promote", "shop/a"}, {"bob", "promote", "shop/a"}},
			no:   []question{{"carol", "promote", "shop/a"}},
		},
		"the default role": {
			rbac: map[string]string{"policy.default": "role:dev", "policy.csv": "p, role:dev, " + promoteShop},
			yes:  []question{{"anybody", "promote", "shop/a"}},
			no:   []question{{"anybody", "approve", "shop/a"}, {"", "promote", "shop/a"}},
		},
		"the default role to read": {
			rbac: map[string]string{"policy.default": "role:readonly"},
			no:   []question{{"anybody", "promote", "shop/a"}},
		},
		"patterns by regular expression": {
			rbac: map[string]string{"policy.matchMode": "regex", "policy.csv": "p, alice, applications, action/waybill.dev/Stage/.*, shop/(a|b), allow\n"},
			yes:  []question{{"alice", "approve", "shop/b"}},
			no:   []question{{"alice", "approve", "shop/c"}},
		},
		"groups do not count, whoever has their name": {
			rbac:    policy("g, admins, role:admin\n"),
			objects: []client.Object{project("shop", role("team", "p, proj:shop:team, "+promoteShop, "team"))},
			no:      []question{{"alice", "promote", "shop/a"}},
		},
		"a project's role and its token": {
			objects: []client.Object{
				project("shop", role("ci", "p, proj:shop:ci, "+promoteShop)),
				project("books", role("ci", "p, proj:books:ci, applications, action/waybill.dev/Stage/promote, books/*, allow")),
			},
			yes: []question{{"proj:shop:ci", "promote", "shop/a"}, {"proj:books:ci", "promote", "books/a"}},
			no: []question{
				{"proj:shop:ci", "approve", "shop/a"}, {"proj:shop:ci", "promote", "books/a"}, {"proj:books:ci", "promote", "shop/a"},
				{"proj:shop:other", "promote", "shop/a"}, {"proj:shop", "promote", "shop/a"}, {"proj:shop:ci:x", "promote", "shop/a"}, {"ci", "promote", "shop/a"},
			},
		},
		"a project's role for a user of Argo CD's": {
			rbac:    policy("g, alice, proj:shop:ci\n"),
			objects: []client.Object{project("shop", role("ci", "p, proj:shop:ci, "+promoteShop))},
			yes:     []question{{"alice", "promote", "shop/a"}},
			no:      []question{{"alice", "promote", "books/a"}, {"bob", "promote", "shop/a"}},
		},
		"a project's token in Argo CD's own policy": {
			rbac: policy("p, proj:shop:ci, " + promoteShop), objects: []client.Object{project("shop")},
			yes: []question{{"proj:shop:ci", "promote", "shop/a"}},
		},
		"an Application of another namespace": {
			rbac: policy("p, alice, applications, action/waybill.dev/Stage/promote, shop/team-a/*, allow\n"),
			yes:  []question{{"alice", "promote", "shop/team-a/a"}},
			no:   []question{{"alice", "promote", "shop/a"}, {"alice", "promote", "shop/team-b/a"}},
		},
		"a project whose roles are not valid has no say": {
			rbac:    policy("p, alice, " + promoteShop),
			objects: []client.Object{project("shop", role("ci", "p, proj:shop:ci, too, few"))},
			yes:     []question{{"alice", "promote", "shop/a"}},
			no:      []question{{"proj:shop:ci", "promote", "shop/a"}, {"bob", "promote", "shop/a"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects := test.objects
			if test.rbac != nil {
				objects = append(objects, rbac(test.rbac))
			}
			p := argocd.NewPolicy(newCluster(t, objects...), control)
			for want, questions := range map[bool][]question{true: test.yes, false: test.no} {
				for _, q := range questions {
					if got, err := p.Allows(t.Context(), q.user, q.verb, q.object); got != want || err != nil {
						t.Errorf("may %q %s %s: %v, %v", q.user, q.verb, q.object, got, err)
					}
				}
			}
		})
	}
}

func TestWhoMayGetAnApplicationIsWrittenInArgoCDsPolicy(t *testing.T) {
	c := newCluster(t, rbac(map[string]string{"policy.csv": "p, alice, applications, get, shop/a, allow\np, bob, applications, action/waybill.dev/Stage/promote, shop/*, allow\n"}))
	p := argocd.NewPolicy(c, control)
	for user, want := range map[string]bool{"alice": true, "admin": true, "bob": false, "role:admin": false, "role:readonly": false, "": false} {
		if got, err := p.AllowsGet(t.Context(), user, "shop/a"); got != want || err != nil {
			t.Errorf("%q may get shop/a: %v, %v", user, got, err)
		}
	}
	if got, err := p.AllowsGet(t.Context(), "alice", "shop/b"); got || err != nil {
		t.Errorf("alice may get shop/b: %v, %v", got, err)
	}
}

func TestAPolicyThatIsNotValidAllowsNothing(t *testing.T) {
	c := newCluster(t, rbac(map[string]string{"policy.csv": "p, alice, " + promoteShop}))
	p := argocd.NewPolicy(c, control)
	if ok, err := p.Allows(t.Context(), "alice", "promote", "shop/a"); !ok || err != nil {
		t.Fatalf("while it is valid: %v, %v", ok, err)
	}
	write(t, c, map[string]string{"policy.csv": "p, alice, " + promoteShop + "p, too, few\n", "policy.default": "role:admin"})
	for _, user := range []string{"alice", "admin", "anybody"} {
		for range 2 {
			ok, err := p.Allows(t.Context(), user, "promote", "shop/a")
			if ok || err == nil || !strings.Contains(err.Error(), "ConfigMap argocd/argocd-rbac-cm, is not valid, so nothing is allowed") {
				t.Errorf("%s: %v, %v", user, ok, err)
			}
		}
	}
	write(t, c, map[string]string{"policy.csv": "p, bob, " + promoteShop})
	for user, want := range map[string]bool{"alice": false, "bob": true} {
		if ok, err := p.Allows(t.Context(), user, "promote", "shop/a"); ok != want || err != nil {
			t.Errorf("mended, %s: %v, %v", user, ok, err)
		}
	}
}

func write(t *testing.T, c *cluster, data map[string]string) {
	t.Helper()
	var cm corev1.ConfigMap
	must(t, c.Get(t.Context(), client.ObjectKey{Namespace: control, Name: argocd.RBACConfigMap}, &cm))
	cm.Data = data
	must(t, c.Update(t.Context(), &cm))
}

func TestARightThatIsTakenAwayIsGoneAtOnce(t *testing.T) {
	shop := project("shop", role("ci", "p, proj:shop:ci, "+promoteShop))
	c := newCluster(t, rbac(map[string]string{"policy.csv": "p, alice, " + promoteShop}), shop)
	p := argocd.NewPolicy(c, control)
	allowed := func(user string) bool {
		ok, err := p.Allows(t.Context(), user, "promote", "shop/a")
		must(t, err)
		return ok
	}
	if !allowed("alice") || !allowed("proj:shop:ci") {
		t.Fatal("not allowed")
	}
	write(t, c, nil)
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(shop), shop))
	shop.Spec.Roles = nil
	must(t, c.Update(t.Context(), shop))
	if allowed("alice") || allowed("proj:shop:ci") {
		t.Error("still allowed")
	}
}

func TestAPolicyThatCannotBeReadAllowsNothing(t *testing.T) {
	cause := errors.New("the informer has not started")
	ok, err := argocd.NewPolicy(unreadable{cause: cause}, control).Allows(t.Context(), "admin", "promote", "shop/a")
	if ok || !errors.Is(err, cause) {
		t.Errorf("got %v, %v", ok, err)
	}
}

type unreadable struct {
	client.Reader
	cause error
}

func (u unreadable) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return u.cause
}

func TestThePolicyAnswersManyAtATime(t *testing.T) {
	c := newCluster(t, rbac(map[string]string{"policy.csv": "p, alice, " + promoteShop}), project("shop", role("ci", "p, proj:shop:ci, "+promoteShop)))
	p := argocd.NewPolicy(c, control)
	var group sync.WaitGroup
	for range 8 {
		for user, want := range map[string]bool{"alice": true, "bob": false, "proj:shop:ci": true} {
			group.Go(func() {
				if ok, err := p.Allows(t.Context(), user, "promote", "shop/a"); ok != want || err != nil {
					t.Errorf("%s: %v, %v", user, ok, err)
				}
			})
		}
	}
	group.Wait()
}

func TestAnApplicationsNameInThePolicy(t *testing.T) {
	p := argocd.NewPolicy(newCluster(t), control)
	for namespace, want := range map[string]string{control: "shop/a", "team-a": "shop/team-a/a"} {
		if got := p.PolicyObject("shop", namespace, "a"); got != want {
			t.Errorf("of %s: %s, want %s", namespace, got, want)
		}
	}
	if got := argocd.Action("promote"); got != "action/waybill.dev/Stage/promote" {
		t.Errorf("the action is %s", got)
	}
}
