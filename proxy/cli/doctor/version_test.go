package doctor

import (
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/finding"
)

// installed is an Argo CD of a version that argocd-server tells.
func installed(version string) Installation {
	return Installation{ServerVersion: version, ArgoCDNamespace: "argocd"}
}

func TestAVersionOfArgoCDImpliesWhatItsSourceDoes(t *testing.T) {
	away := func(in Installation) Installation {
		var a Application
		a.Meta.Namespace = "team-a"
		in.Applications.Value = []Application{a}
		return in
	}
	named := func(in Installation) Installation {
		var a Application
		a.Meta.Namespace, a.Spec.Destination.Name = "argocd", "in-cluster"
		in.Applications.Value = []Application{a}
		return in
	}
	ignoring := func(in Installation) Installation {
		var s ApplicationSet
		s.Spec.IgnoreApplicationDifferences = append(s.Spec.IgnoreApplicationDifferences, struct {
			JSONPointers      []string `json:"jsonPointers"`
			JQPathExpressions []string `json:"jqPathExpressions"`
		}{JSONPointers: []string{pointerPlugin}})
		in.ApplicationSets.Value = []ApplicationSet{s}
		return in
	}
	tests := map[string]struct {
		in   Installation
		want []string
		not  []string
		sev  finding.Severity
	}{
		"2.13":                            {installed("v2.13.4"), []string{"older than what Waybill is tried with"}, nil, finding.Error},
		"2.14":                            {installed("v2.14.21+abcdef"), []string{"claim email", "Argocd-User-Id", "why it finds no plugin", "React 16"}, []string{"React 19", "destination.name", "fine-grained"}, finding.Warning},
		"2.14, with destinations by name": {named(installed("v2.14.21")), []string{"#19337"}, nil, finding.Warning},
		"3.0, with destinations by name":  {named(installed("v3.0.0")), []string{"no longer cover the resources"}, []string{"#19337", "claim email"}, finding.OK},
		"3.0-rc1":                         {installed("v3.0.0-rc1"), []string{"no longer cover"}, []string{"claim email"}, finding.OK},
		"3.2":                             {installed("v3.2.0"), []string{"React 16"}, []string{"Argocd-User-Id"}, finding.OK},
		"3.5.1":                           {installed("v3.5.1"), []string{"React 19", "#29066"}, []string{"React 16", "why it finds no plugin"}, finding.Warning},
		"3.5.1, with ignored differences": {ignoring(installed("v3.5.1")), []string{"ApplicationSets of bound Applications use it"}, nil, finding.Error},
		"3.5.2, with ignored differences": {ignoring(installed("v3.5.2")), nil, []string{"#29066"}, finding.OK},
		"3.5.1, with other namespaces":    {away(installed("v3.5.1")), []string{"without its namespace"}, nil, finding.Warning},
		"3.5.7, with other namespaces":    {away(installed("v3.5.7")), []string{"<project>/<namespace>/<application>, before"}, []string{"without its namespace"}, finding.Warning},
		"not known":                       {installed("latest"), []string{"is not known"}, nil, finding.Warning},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all := version(test.in)
			var facts string
			for _, f := range all {
				facts += f.Fact + "\n"
			}
			for _, want := range test.want {
				if !strings.Contains(facts, want) {
					t.Errorf("%q is not told:\n%s", want, facts)
				}
			}
			for _, not := range test.not {
				if strings.Contains(facts, not) {
					t.Errorf("%q is told:\n%s", not, facts)
				}
			}
			if got := finding.Worst(all); got != test.sev {
				t.Errorf("the worst is %s, want %s:\n%s", got, test.sev, facts)
			}
		})
	}
}

func TestTheTableOfVersionsIsWellFormed(t *testing.T) {
	for _, i := range implications {
		for _, v := range []string{i.from, i.until} {
			if v == "" {
				continue
			}
			if _, err := semver.StrictNewVersion(v); err != nil {
				t.Errorf("%s: %v", v, err)
			}
		}
		if i.from == "" && i.until == "" {
			t.Errorf("of every version is told: %s", i.fact)
		}
		if (i.severity == finding.OK) != (i.remedy == "") {
			t.Errorf("%s is %s, with the remedy %q", i.fact, i.severity, i.remedy)
		}
	}
}

func TestTheImageTellsTheVersionBeforeASession(t *testing.T) {
	in := good(t).read(t)
	in.ServerVersion = "v3.5.0"
	if v, from := argocdVersion(in); v == nil || v.String() != "2.14.21" {
		t.Errorf("the version is %v, from %s", v, from)
	}
	for image, want := range map[string]string{
		"quay.io/argoproj/argocd:v2.14.21":            "v2.14.21",
		"registry.example.com:5000/argocd@sha256:0":   "",
		"registry.example.com:5000/argocd:v3@sha256:": "v3",
		"argocd": "",
	} {
		if got := tagOf(image); got != want {
			t.Errorf("the tag of %s is %q, want %q", image, got, want)
		}
	}
}
