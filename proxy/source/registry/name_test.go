package registry

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestRepositoriesAreReadAsDockerReadsThem(t *testing.T) {
	for written, want := range map[string]string{
		"registry.example.com/shop":        "registry.example.com/shop",
		"registry.example.com:5000/a/b__c": "registry.example.com:5000/a/b__c",
		"127.0.0.1:5000/shop":              "127.0.0.1:5000/shop",
		"ubuntu":                           "index.docker.io/library/ubuntu",
		"docker.io/grafana/grafana":        "index.docker.io/grafana/grafana",
		"localhost/shop":                   "localhost/shop",
	} {
		repo, err := parse(written, "image")
		if err != nil || repo.Name() != want {
			t.Errorf("%s is read as %s (%v), want %s", written, repo.Name(), err, want)
		}
	}
	for _, written := range []string{
		"", "/", "https://registry.example.com/shop", "registry.example.com/shop:v1", "registry.example.com/shop@sha256:ab",
		"registry.example.com/../v2", "registry.example.com//shop", "registry.example.com/Shop", "registry.example.com/",
		"::/shop", "registry.example.com:port/shop", "user:pass@registry.example.com/shop", "registry.example.com/shop?x=1", "a b/c", strings.Repeat("a", 600),
	} {
		if repo, err := parse(written, "image"); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is read as %s (%v), want %v", written, repo.Name(), err, ErrInvalid)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"registry.example.com/shop", "ubuntu", "localhost:5000/a/b", "https://x/y", "x/../y", "[::1]:5000/a", "a:b@c/d", "10.0.0.1/a", "x.y/%2e%2e/z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		repo, err := parse(written, "image")
		if err != nil {
			if !errors.Is(err, ErrInvalid) || len(err.Error()) > 1500 {
				t.Errorf("%q: %v, want a short %v", written, err, ErrInvalid)
			}
			return
		}
		raw := repo.Scheme() + "://" + repo.RegistryStr() + "/v2/" + repo.RepositoryStr() + "/tags/list"
		u, err := url.Parse(raw)
		if err != nil || u.Host != repo.RegistryStr() || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q is asked at %q (%v)", written, raw, err)
		}
		if path.Clean(u.Path) != u.Path || u.EscapedPath() != u.Path {
			t.Errorf("%q is asked at the path %q", written, u.EscapedPath())
		}
	})
}
