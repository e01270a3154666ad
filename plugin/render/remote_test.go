package render

import "testing"

func TestRemoteRootsAreRecognised(t *testing.T) {
	for path, want := range map[string]bool{
		"https://github.com/org/repo":                     true,
		"https://github.com/org/repo//deploy?ref=v1":      true,
		"HTTPS://example.com/x":                           true,
		"git::https://example.com/org/repo":               true,
		"GIT::git@github.com:org/repo":                    true,
		"ssh://git@example.com/org/repo.git":              true,
		"file:///srv/repo":                                true,
		"git@github.com:org/repo":                         true,
		"git@github.com:org/repo.git//deploy":             true,
		"me@example.com:repo.git":                         true,
		"org-1@vs-ssh.example.com:v3/org/repo":            true,
		"github.com/org/repo":                             true,
		"GitHub.com/org/repo/deploy?ref=main":             true,
		"github.com:org/repo":                             true,
		"g\u0130thub.com/org/repo":                        true, // kustomize makes an i of it
		"Git-1@example.com:org/repo":                      true,
		"1git@example.com:org/repo":                       false,
		"me_too@example.com:org/repo":                     false,
		"@example.com:org/repo":                           false,
		"git@dev.azure.com:v3/org/project/_git/repo/path": true,
		"../base":                     false,
		"base":                        false,
		".":                           false,
		"deploy.yaml":                 false,
		"github.com":                  false,
		"github.com.yaml":             false,
		"team@prod":                   false,
		"vendor/github.com/org/repo":  false,
		"example.com/org/repo":        false,
		"/srv/https://github.com/o/r": false,
		"a:b":                         false,
		"":                            false,
	} {
		if got := isRemoteRoot(path); got != want {
			t.Errorf("isRemoteRoot(%q) = %t", path, got)
		}
	}
}

func TestAddressesAreShownWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:hunter2@example.com/a/b?token=hunter2": "https://example.com/a/b",
		"https://hunter2@example.com:8443/a@b":               "https://example.com:8443/a@b",
		"https://example.com":                                "https://example.com/",
		"git@github.com:org/repo":                            "git@github.com:org/repo",
		"github.com/org/repo?ref=main":                       "github.com/org/repo",
	} {
		if got := withoutSecrets(address); got != want {
			t.Errorf("withoutSecrets(%q) = %q, want %q", address, got, want)
		}
	}
}
