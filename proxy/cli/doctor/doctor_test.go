package doctor

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

func TestOfAGoodInstallationThereIsNothingToMend(t *testing.T) {
	all := Examine(good(t).read(t), nil)
	seen := map[string]bool{}
	for _, f := range all {
		t.Logf("%s %s: %s", f.Severity, f.Check, f.Fact)
		seen[f.Check] = true
		// The one thing that an Argo CD as old as that cannot help.
		if f.Check == CheckVersion && strings.Contains(f.Fact, "SSO user") {
			continue
		}
		if f.Severity != finding.OK {
			t.Errorf("%s %s: %s → %s", f.Severity, f.Check, f.Fact, f.Remedy)
		}
	}
	for _, check := range Checks() {
		// There are no ApplicationSets.
		if !seen[check] && check != CheckApplicationSets {
			t.Errorf("nothing is told of: %s", check)
		}
	}
}

func TestNoSecretIsKeptOrTold(t *testing.T) {
	w := good(t)
	w.set(t, "Secret waybill/waybill-gates", encoded("other-secret-of-waybill"), "data", "waybill")
	in := w.read(t)
	text, err := json.Marshal(map[string]any{"in": in, "findings": Examine(in, nil)})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secret-of-", "password-of-git", encoded("secret-of-waybill"), encoded("password-of-git")} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is kept or told", secret)
		}
	}
}

func TestOnlyTheChecksThatWereChosenAreMade(t *testing.T) {
	for _, f := range Examine(good(t).read(t), []string{CheckGates, CheckPolicy}) {
		if f.Check != CheckGates && f.Check != CheckPolicy {
			t.Errorf("%+v", f)
		}
	}
}
