package identity_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/proxy/identity"
)

func TestSecretsThatProtectNothingAreRefusedAtTheStart(t *testing.T) {
	const good = "0123456789abcdef"
	for name, test := range map[string]struct {
		secrets map[string]string
		tells   string
	}{
		"none":        {nil, "there are no gates"},
		"empty":       {map[string]string{"waybill": ""}, "gate waybill: its secret is shorter than 16"},
		"short":       {map[string]string{"waybill": good[1:]}, "gate waybill: its secret is shorter than 16"},
		"unresolved":  {map[string]string{"waybill": "$waybill-gates:waybill"}, "gate waybill: its secret is a reference that was never resolved"},
		"a dollar":    {map[string]string{"waybill": "$"}, "never resolved"},
		"shared":      {map[string]string{"waybill": good, "waybill-promote": good}, "gate waybill-promote shares its secret with waybill"},
		"one of many": {map[string]string{"waybill": good, "waybill-promote": ""}, "gate waybill-promote"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := identity.NewGates(test.secrets)
			if err == nil || !strings.Contains(err.Error(), test.tells) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), good[1:]) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestGatesAreReadFromAFolderAsASecretIsMounted(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "..2026_03_14")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(data, "waybill"), readSecret+"\n")
	write(filepath.Join(data, "waybill-promote"), promoteSecret)
	for link, target := range map[string]string{"..data": "..2026_03_14", "waybill": "..data/waybill", "waybill-promote": "..data/waybill-promote"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	g, err := identity.ReadGates(dir)
	if err != nil {
		t.Fatal(err)
	}
	for secret, gate := range map[string]string{readSecret: "waybill", promoteSecret: "waybill-promote"} {
		caller, err := g.Identify(call(set("Waybill-Gate-Secret", secret)))
		if err != nil || caller.Gate != gate {
			t.Errorf("%s: %+v, %v", gate, caller, err)
		}
	}
}

func TestAFolderThatHoldsNoSecretsIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		fill  func(t *testing.T, dir string) error
		tells string
	}{
		"missing": {func(_ *testing.T, dir string) error { return os.Remove(dir) }, "cannot read the gates' secrets"},
		"empty":   {func(*testing.T, string) error { return nil }, "there are no gates"},
		"an empty one": {func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, "waybill"), []byte(" \n"), 0o600)
		}, "gate waybill"},
		"a large one": {func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, "waybill"), []byte(strings.Repeat("x", 4<<10+1)), 0o600)
		}, "gate waybill: its secret cannot be read"},
		"a folder":    {func(_ *testing.T, dir string) error { return os.Mkdir(filepath.Join(dir, "waybill"), 0o700) }, "gate waybill: its secret cannot be read"},
		"a dead link": {func(_ *testing.T, dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "waybill")) }, "gate waybill: its secret cannot be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.fill(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := identity.ReadGates(dir); err == nil || !strings.Contains(err.Error(), test.tells) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestATokenIsOfItsPurposeAndOfAllSecrets(t *testing.T) {
	token := func(secrets map[string]string, purpose string) string {
		t.Helper()
		gates, err := identity.NewGates(secrets)
		if err != nil {
			t.Fatal(err)
		}
		return gates.Token(purpose)
	}
	secrets := map[string]string{"waybill": "a secret of sixteen", "waybill-promote": "another secret of it"}
	first := token(secrets, "looks")
	if again := token(secrets, "looks"); again != first {
		t.Error("two replicas have different tokens")
	}
	for name, other := range map[string]string{
		"another purpose":  token(secrets, "look"),
		"a gate fewer":     token(map[string]string{"waybill": "a secret of sixteen"}, "looks"),
		"another secret":   token(map[string]string{"waybill": "a secret of sixteen", "waybill-promote": "yet another secret of it"}, "looks"),
		"the same swapped": token(map[string]string{"waybill": "another secret of it", "waybill-promote": "a secret of sixteen"}, "looks"),
	} {
		if other == first {
			t.Errorf("%s: the same token", name)
		}
	}
}
