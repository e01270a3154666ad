package freight_test

import (
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
)

func TestAnImageRepositoryHasOneSpelling(t *testing.T) {
	tests := map[string]string{
		"nginx":                              "docker.io/library/nginx",
		"bitnami/nginx":                      "docker.io/bitnami/nginx",
		"docker.io/nginx":                    "docker.io/library/nginx",
		"Docker.IO/bitnami/nginx":            "docker.io/bitnami/nginx",
		"index.docker.io/nginx":              "docker.io/library/nginx",
		"registry-1.docker.io/library/nginx": "docker.io/library/nginx",
		"localhost/shop":                     "localhost/shop",
		"localhost:5000/shop":                "localhost:5000/shop",
		"registry:5000/shop":                 "registry:5000/shop",
		"Registry.Example.com/Team/Shop":     "registry.example.com/Team/Shop", // a path keeps its case
		"registry.example.com/shop/":         "registry.example.com/shop",
		" registry.example.com/shop / ":      "registry.example.com/shop",
		"https://registry.example.com/shop":  "registry.example.com/shop",
		"http://registry.example.com/shop":   "registry.example.com/shop",
		"OCI://registry.example.com/shop":    "registry.example.com/shop",
		"docker://nginx":                     "docker.io/library/nginx",
		"Team/shop":                          "docker.io/Team/shop", // no dot, no colon: not a host
		"":                                   "",
		" / ":                                "",
		"https://":                           "",
	}
	for repo, want := range tests {
		if got := freight.ImageRepository(repo); got != want {
			t.Errorf("ImageRepository(%q) = %q, want %q", repo, got, want)
		}
	}
}

func TestAnImageReferenceComesApart(t *testing.T) {
	tests := map[string][3]string{
		"nginx":                            {"nginx", "", ""},
		"nginx:1.27":                       {"nginx", "1.27", ""},
		"nginx@" + digestA:                 {"nginx", "", digestA},
		"nginx:1.27@" + digestA:            {"nginx", "1.27", digestA},
		"localhost:5000/shop":              {"localhost:5000/shop", "", ""},
		"localhost:5000/shop:v1":           {"localhost:5000/shop", "v1", ""},
		"localhost:5000/a/shop:v1@sha256:": {"localhost:5000/a/shop", "v1", "sha256:"},
		"":                                 {"", "", ""},
	}
	for reference, want := range tests {
		repo, tag, digest := freight.SplitImage(reference)
		if got := [3]string{repo, tag, digest}; got != want {
			t.Errorf("SplitImage(%q) = %q, want %q", reference, got, want)
		}
	}
}

func TestAGitRepositoryHasOneSpelling(t *testing.T) {
	tests := map[string]string{
		"https://git.example.com/team/shop":            "https://git.example.com/team/shop",
		"https://git.example.com/team/shop.git":        "https://git.example.com/team/shop",
		"https://git.example.com/team/shop.git/":       "https://git.example.com/team/shop",
		"https://git.example.com/team/shop/.git":       "https://git.example.com/team/shop",
		" HTTPS://Git.Example.COM/Team/shop ":          "https://git.example.com/Team/shop", // a path keeps its case
		"https://user:secret@git.example.com/shop":     "https://git.example.com/shop",
		"https://git.example.com:443/shop":             "https://git.example.com/shop",
		"http://git.example.com:80/shop":               "http://git.example.com/shop",
		"http://git.example.com:443/shop":              "http://git.example.com:443/shop",
		"https://git.example.com:8443/shop":            "https://git.example.com:8443/shop",
		"https://[::1]:443/shop":                       "https://[::1]/shop",
		"https://git.example.com/shop?ref=x#top":       "https://git.example.com/shop",
		"https://git.example.com/shop.git?ref=x":       "https://git.example.com/shop",
		"https://git.example.com/team%2Fshop":          "https://git.example.com/team/shop",
		"https://git.example.com/shop?":                "https://git.example.com/shop",
		"https://git.example.com/my%20shop":            "https://git.example.com/my%20shop",
		"git@git.example.com:team/shop.git":            "ssh://git.example.com/team/shop",
		"git.example.com:/team/shop.git":               "ssh://git.example.com/team/shop",
		"ssh://git@git.example.com:22/team/shop.git":   "ssh://git.example.com/team/shop",
		"ssh://git@git.example.com:7999/team/shop.git": "ssh://git.example.com:7999/team/shop",
		"ssh://git@git.example.com/~me/shop":           "ssh://git.example.com/~me/shop",
		"/srv/git/shop.git":                            "/srv/git/shop",
		"./shop:v1":                                    "./shop:v1", // a slash before the colon: a path
		"file:///srv/git/shop.git/":                    "file:///srv/git/shop",
		"https://git.example.com":                      "https://git.example.com",
		"https://git.example.com/%zz.git":              "https://git.example.com/%zz", // not a URL
		"":                                             "",
	}
	for repo, want := range tests {
		if got := freight.GitRepository(repo); got != want {
			t.Errorf("GitRepository(%q) = %q, want %q", repo, got, want)
		}
	}
}

func TestAChartRepositoryHasOneSpelling(t *testing.T) {
	tests := map[string]string{
		"https://charts.example.com":                    "https://charts.example.com",
		" https://Charts.Example.com/stable/ ":          "https://charts.example.com/stable",
		"https://user:secret@charts.example.com/Stable": "https://charts.example.com/Stable",
		"https://charts.example.com/a%2Fb/":             "https://charts.example.com/a/b",
		"oci://ghcr.io/charts/db":                       "oci://ghcr.io/charts/db",
		"Oci://GHCR.io/charts/db/":                      "oci://ghcr.io/charts/db",
		" oci://ghcr.io/charts/db ":                     "oci://ghcr.io/charts/db",
		"oci://nginx":                                   "oci://docker.io/library/nginx",
		"https://charts.example.com/%zz/":               "https://charts.example.com/%zz", // not a URL
		"../charts/":                                    "../charts",
		"":                                              "",
	}
	for repo, want := range tests {
		if got := freight.ChartRepository(repo); got != want {
			t.Errorf("ChartRepository(%q) = %q, want %q", repo, got, want)
		}
	}
}

var repositories = []string{
	"", "/", "nginx", "docker.io/", "index.docker.io/nginx", "localhost:5000/shop", "OCI://Ghcr.io/a//b/ ", "a://b://c/d",
	"https://https://x.y/z", "git@h:p.git.git", "h:443.git", "https://:443/x", "https://u@h.git:443", "http:x?y=://", "https://h/%2egit",
	"a:b://c", "ssh://[::1%25eth0]:22/x", "//host/x/", ":x", "\xff.x/\xff", "HTTPS://İ.K/x", "https://h/x?#", "*:*/*", ".git", "oci:///", "https://h?x/#",
}

func FuzzTheSpellingOfARepositoryIsItsOwnSpelling(f *testing.F) {
	for _, s := range repositories {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, repo string) {
		for name, normal := range map[string]func(string) string{
			"ImageRepository": freight.ImageRepository,
			"GitRepository":   freight.GitRepository,
			"ChartRepository": freight.ChartRepository,
		} {
			once := normal(repo)
			if twice := normal(once); twice != once {
				t.Errorf("%s(%q) = %q, and of that %q", name, repo, once, twice)
			}
		}
	})
}

func FuzzAnImageReferenceGoesTogetherAgain(f *testing.F) {
	for _, s := range []string{"", "a", "a:b", "a@b", "a:b@c", "h:1/a", "h:1/a:b@c@d", ":", "@", ":@", "a:/b", "a:b/c:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		repo, tag, digest := freight.SplitImage(reference)
		if strings.Contains(repo, "@") || strings.ContainsAny(tag, "@/:") {
			t.Errorf("SplitImage(%q) = %q, %q, %q: a part holds what divides parts", reference, repo, tag, digest)
		}
		again := repo
		if tag != "" {
			again += ":" + tag
		}
		if digest != "" {
			again += "@" + digest
		}
		// A sign that nothing follows is lost, all else is kept.
		bare := strings.HasSuffix(repo, ":") || strings.HasSuffix(reference, ":") || strings.HasSuffix(reference, "@") || strings.Contains(reference, ":@")
		if !bare && again != reference {
			t.Errorf("SplitImage(%q) = %q, %q, %q: together they are %q", reference, repo, tag, digest, again)
		}
	})
}
