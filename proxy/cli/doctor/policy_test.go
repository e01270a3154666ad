package doctor

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

// policyOf adds lines to the policy of the shop.
func policyOf(lines ...string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		w.replace(t, rbacMap, keyPolicy, "g, alice, role:shop\n", "g, alice, role:shop\n"+strings.Join(lines, "\n")+"\n")
	}
}

func TestWhoMayDoWhatIsToldByArgoCDsPolicy(t *testing.T) {
	const ok, warning, fault = finding.OK, finding.Warning, finding.Error
	tests := map[string]struct {
		spoil    func(*testing.T, *world)
		severity finding.Severity
		fact     string
		remedy   string
	}{
		"those who pass a gate":  {policyOf(), ok, "gate waybill-promote: admin, alice, role:admin, role:shop-promoter", ""},
		"those who may promote":  {policyOf(), ok, "to stage shop/dev may promote: admin, alice, role:admin, role:shop-promoter", ""},
		"those who may approve":  {policyOf(), ok, "to stage shop/prod may approve: admin, bob, role:admin, role:shop-approver", ""},
		"a gate that nobody may": {both(set(rbacMap, nil, "data", "policy.waybill.csv"), set(rbacMap, "", "data", keyPolicy)), fault, "nobody may pass gate waybill, not even role:admin", "--patch-file manifests/argocd/argocd-rbac-cm.yaml"},
		"a gate of a pipeline's own that nobody may": {
			func(t *testing.T, w *world) {
				shopSays(t, w, "project: shop\n", "project: shop\ngates: {approve: qa}\n")
			},
			fault, "nobody may pass gate qa, not even role:admin", "p, <role>, extensions, invoke, qa, allow",
		},
		"a policy that is broken": {
			policyOf("p, role:x, applications"), fault, `Argo CD rejects its policy, so that nobody may do anything: the line "p, role:x, applications" is none`, "mend",
		},
		"a policy in another key": {
			set(rbacMap, "p, role:qa, extensions, invoke, waybill, allow", "data", "policy.more.csv"), ok, "gate waybill: admin, alice, bob, role:admin, role:qa", "",
		},
		"a write gate of everybody": {
			both(policyOf("p, role:all, extensions, invoke, waybill-promote, allow"), set(rbacMap, "role:all", "data", keyDefaultRole)),
			warning, "everybody who is logged in passes gate waybill-promote, by the default role role:all", "roles of their own",
		},
		"the read gate of everybody": {
			set(rbacMap, "role:readonly", "data", keyDefaultRole), ok, "everybody who is logged in passes gate waybill, by the default role role:readonly", "",
		},
		"everybody promotes": {
			both(policyOf("p, role:all, extensions, invoke, waybill-promote, allow", "p, role:all, applications, action/*, shop/*, allow"), set(rbacMap, "role:all", "data", keyDefaultRole)),
			warning, "everybody who is logged in may promote to stage shop/dev", "roles of their own",
		},
		"a gate without the action": {
			policyOf("p, role:half, extensions, invoke, waybill-promote, allow"), warning, "they pass gate waybill-promote, but may promote to no stage: role:half", "action/waybill.dev/Stage/promote",
		},
		"the action without a gate": {
			policyOf("p, role:half, applications, action/waybill.dev/Stage/approve, shop/*, allow"), warning, "they may approve, but do not pass gate waybill-approve: role:half", "extensions, invoke, waybill-approve",
		},
		"a group": {
			policyOf("g, my-org:team, role:shop-promoter"), warning, "if these are groups, their members pass gate waybill-promote and may still not promote: my-org:team", "name the people",
		},
		"a user by mail": {
			policyOf("g, carol@example.com, role:shop-promoter"), ok, "gate waybill-promote: admin, alice, carol@example.com, role:admin, role:shop-promoter", "",
		},
		"a denial": {
			policyOf("p, alice, extensions, invoke, waybill-promote, deny"), ok, "to stage shop/dev may promote: admin, role:admin, role:shop-promoter", "",
		},
		"patterns by regular expressions": {
			both(set(rbacMap, "regex", "data", keyMatchMode), set(rbacMap, "p, role:rx, extensions, invoke, ^waybill-pro.*$, allow", "data", keyPolicy), set(rbacMap, nil, "data", "policy.waybill.csv")),
			ok, "gate waybill-promote: role:rx", "",
		},
		"a name that is a pattern for others": {
			set(rbacMap, "regex", "data", keyMatchMode),
			fault, "policy.matchMode is regex, in which a line for gate waybill is for waybill-approve, waybill-promote too", "^waybill$",
		},
		"a stage to which nobody may promote": {
			both(set(rbacMap, "p, role:readonly, extensions, invoke, waybill, allow\np, role:x, extensions, invoke, *, allow\n", "data", "policy.waybill.csv"), set(rbacMap, "", "data", keyPolicy)),
			warning, "nobody may promote to stage shop/prod", "action/waybill.dev/Stage/promote, shop/shop-prod, allow",
		},
		"an AppProject's role that grants a gate": {
			set("AppProject argocd/shop", roles("p, proj:shop:dev, extensions, invoke, waybill, allow"), "spec", "roles"),
			warning, "role dev of AppProject shop grants extensions, which only argocd-rbac-cm can", "argocd-rbac-cm",
		},
		"an AppProject's role that grants the action": {
			both(policyOf("p, dave@example.com, extensions, invoke, waybill-promote, allow"),
				set("AppProject argocd/shop", roles("p, proj:shop:dev, applications, action/waybill.dev/Stage/promote, shop/*, allow"), "spec", "roles")),
			ok, "to stage shop/dev may promote: admin, alice, dave@example.com, role:admin, role:shop-promoter", "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := good(t)
			test.spoil(t, w)
			expect(t, Examine(w.read(t), []string{CheckPolicy}), CheckPolicy, test.severity, test.fact, test.remedy)
		})
	}
}

func roles(policy string) []any {
	return []any{map[string]any{"name": "dev", "policies": []any{policy}, "groups": []any{"dave@example.com"}}}
}

// An action on everything that exists, such as role:admin has it, is not a half
// of Waybill's rights that somebody forgot to complete.
func TestWhoMayDoEveryActionIsNotTakenForSomebodyWithoutTheGate(t *testing.T) {
	w := good(t)
	w.set(t, rbacMap, "p, role:x, applications, *, */*, allow\n", "data", keyPolicy)
	for _, f := range Examine(w.read(t), []string{CheckPolicy}) {
		if strings.Contains(f.Fact, "role:x") {
			t.Errorf("%+v", f)
		}
	}
}

func FuzzAPolicyIsEvaluatedOrRefused(f *testing.F) {
	for _, text := range []string{
		"p, role:x, extensions, invoke, waybill, allow\ng, a, role:x", "p, role:x, extensions, invoke, [, allow", "g, a, b\ng, b, a",
		"p, \"a,b\", *, *, *, deny", "p", "g, a, role:admin\nx", "p, role:admin, applications, action/waybill.dev/Stage/promote, {, allow",
	} {
		f.Add(text, "glob")
		f.Add(text, matchRegex)
	}
	var a Application
	a.Meta.Name, a.Meta.Namespace, a.Spec.Project = "shop", "argocd", "shop"
	a.Meta.Annotations = map[string]string{annotationStage: "shop/dev"}
	f.Fuzz(func(t *testing.T, text, mode string) {
		in := Installation{ArgoCDNamespace: "argocd", Policy: Part[ConfigMap]{Value: ConfigMap{Data: map[string]string{keyPolicy: text, keyMatchMode: mode}}}}
		in.Applications.Value = []Application{a}
		in.Projects.Value = []Project{{Meta: Meta{Name: "shop"}}}
		in.Projects.Value[0].Spec.Roles = []ProjectRole{{Name: "dev", Policies: strings.Split(text, "\n"), Groups: []string{text}}}
		for _, found := range policies(in) {
			if found.Fact == "" || (found.Severity == finding.OK) != (found.Remedy == "") {
				t.Errorf("%+v", found)
			}
		}
	})
}
