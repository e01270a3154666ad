package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/assets"
	"github.com/argoproj/argo-cd/v2/util/rbac"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func rule(group, resource, name string, verbs ...string) rbacv1.PolicyRule {
	r := rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
	if name != "" {
		r.ResourceNames = []string{name}
	}
	return r
}

// A right more or less is a decision to be made here too.
func TestTheProxyHasTheseRightsAndNoOthers(t *testing.T) {
	want := map[string][]rbacv1.PolicyRule{
		"waybill in waybill": {
			rule("", "configmaps", "", "get", "list", "watch", "create", "update", "delete"),
			rule("", "secrets", "", "get", "list", "watch"),
			rule("coordination.k8s.io", "leases", "", "create"),
			rule("coordination.k8s.io", "leases", "waybill-proxy", "get", "update"),
			rule("", "events", "", "create", "patch"),
		},
		"waybill in argocd": {
			rule("argoproj.io", "applications", "", "get", "list", "watch", "patch"),
			rule("argoproj.io", "appprojects", "", "get", "list", "watch"),
			rule("", "configmaps", "argocd-rbac-cm", "get", "list", "watch"),
		},
		"application-namespace in ": {
			rule("argoproj.io", "applications", "", "get", "list", "watch", "patch"),
		},
	}
	got := map[string][]rbacv1.PolicyRule{}
	proxy := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "waybill-proxy", Namespace: "waybill"}}
	for folder, manifests := range everything(t) {
		objects := decode(t, manifests)
		for _, role := range all[*rbacv1.Role](objects) {
			got[folder+" in "+role.Namespace] = role.Rules
		}
		for _, binding := range all[*rbacv1.RoleBinding](objects) {
			if diff := cmp.Diff(proxy, binding.Subjects); diff != "" {
				t.Errorf("the binding in %q is for others (-want +got):\n%s", binding.Namespace, diff)
			}
			if want := (rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "waybill-proxy"}); binding.RoleRef != want {
				t.Errorf("the binding in %q is to %v, want %v", binding.Namespace, binding.RoleRef, want)
			}
		}
		if len(all[*rbacv1.ClusterRole](objects))+len(all[*rbacv1.ClusterRoleBinding](objects)) > 0 {
			t.Errorf("%s has rights in the whole cluster", folder)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// policy returns the key that joins Argo CD's policy.
func policy(t *testing.T) map[string]string {
	t.Helper()
	for _, c := range all[*corev1.ConfigMap](decode(t, everything(t)["argocd"])) {
		if c.Name == "argocd-rbac-cm" {
			return c.Data
		}
	}
	t.Fatal("no argocd-rbac-cm")
	return nil
}

func TestArgoCDsRolesPassTheseGates(t *testing.T) {
	enforcer := rbac.NewEnforcer(fake.NewClientset(), "argocd", "argocd-rbac-cm", nil)
	builtin, err := assets.Embedded.ReadFile("builtin-policy.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := enforcer.SetBuiltinPolicy(string(builtin)); err != nil {
		t.Fatal(err)
	}
	if err := enforcer.SetUserPolicy(rbac.PolicyCSV(policy(t))); err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string][]string{
		"role:readonly": {"waybill"},
		"role:admin":    {"waybill", "waybill-promote", "waybill-approve"},
		"role:none":     nil,
	} {
		var got []string
		for _, gate := range []string{"waybill", "waybill-promote", "waybill-approve", "another-extension"} {
			if enforcer.Enforce(role, "extensions", "invoke", gate) {
				got = append(got, gate)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("gates of %s (-want +got):\n%s", role, diff)
		}
	}
	// The second half of a right, which Argo CD's own policy holds.
	for role, want := range map[string]bool{"role:admin": true, "role:readonly": false} {
		for _, action := range []string{"promote", "approve"} {
			if got := enforcer.Enforce(role, "applications", "action/waybill.dev/Stage/"+action, "shop/shop-prod"); got != want {
				t.Errorf("%s may %s: %v, want %v", role, action, got, want)
			}
		}
	}
}

func TestThePolicyInTheCommentDoesWhatItSays(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "manifests", "argocd", "argocd-rbac-cm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var example []string
	for line := range strings.Lines(string(content)) {
		if policy, ok := strings.CutPrefix(line, "#   p, "); ok {
			example = append(example, "p, "+strings.TrimSpace(policy))
		}
	}
	enforcer := rbac.NewEnforcer(fake.NewClientset(), "argocd", "argocd-rbac-cm", nil)
	if err := enforcer.SetUserPolicy(strings.Join(example, "\n")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, role := range []string{"role:shop-dev", "role:shop-qa"} {
		for _, gate := range []string{"waybill", "waybill-promote", "waybill-approve"} {
			if enforcer.Enforce(role, "extensions", "invoke", gate) {
				got = append(got, role+" passes "+gate)
			}
		}
		for _, application := range []string{"shop/shop-dev", "shop/shop-staging", "shop-prod/shop-eu"} {
			for _, action := range []string{"promote", "approve"} {
				if enforcer.Enforce(role, "applications", "action/waybill.dev/Stage/"+action, application) {
					got = append(got, role+" may "+action+" "+application)
				}
			}
		}
	}
	want := []string{
		"role:shop-dev passes waybill",
		"role:shop-dev passes waybill-promote",
		"role:shop-dev may promote shop/shop-dev",
		"role:shop-qa passes waybill",
		"role:shop-qa passes waybill-approve",
		"role:shop-qa may approve shop-prod/shop-eu",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the example (-want +got):\n%s", diff)
	}
}
