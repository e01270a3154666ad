package gitrepo

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

func TestPathsThatLeaveTheTreeAreRefused(t *testing.T) {
	for _, p := range []string{
		"", "/", "/etc/passwd", "a//b", "a/", "..", "../a", "a/../b", ".", "./a", "a/./b",
		".git", ".git/config", "a/.git/hooks/x", ".GIT/config", ".gIt", "git~1", "GIT~1/x",
		".git ", ".git.", ".git. .", ".git::$INDEX_ALLOCATION", ".g\u200cit", "\u200d.git", "a\\b", `..\a`,
		"a\x00b", "a\nb", "a\x7fb", "\xff", strings.Repeat("a", 256), strings.Repeat("a/", 2048) + "a",
	} {
		if _, err := splitPath(p); !errors.Is(err, ErrRefused) {
			t.Errorf("%q: %v, want a refusal", p, err)
		}
	}
}

func TestPathsOfFilesAreTaken(t *testing.T) {
	for _, p := range []string{
		"a", "deploy/waybill-shop-dev.yaml", ".github/x", ".gitignore", "a/.gitmodules", "..a", "a..", "...",
		"with space/ü.yaml", "git~2", ".gita", "a:b",
	} {
		segments, err := splitPath(p)
		if err != nil {
			t.Errorf("%q: %v", p, err)
		}
		if got := strings.Join(segments, "/"); got != p {
			t.Errorf("%q became %q", p, got)
		}
	}
}

func FuzzSplitPath(f *testing.F) {
	for _, seed := range []string{"a/b.yaml", "../a", ".git/config", "a//b", "/", ".GIT ", "a\\..\\b", "git~1", "\u200c.git"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		segments, err := splitPath(p)
		if err != nil {
			if !errors.Is(err, ErrRefused) || len(err.Error()) > 1000 {
				t.Errorf("%q: %v, want a short refusal", p, err)
			}
			return
		}
		if path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(path.Join("root", p), "..") || !strings.HasPrefix(path.Join("root", p), "root/") {
			t.Errorf("%q leaves the tree", p)
		}
		for _, s := range segments {
			if strings.EqualFold(strings.TrimRight(s, ". "), ".git") || strings.ContainsAny(s, "/\\\x00") {
				t.Errorf("%q leads into .git", p)
			}
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{
		"https://git.example.com/shop.git", "http://127.0.0.1:80/a", "git@host:a.git", "ssh://host/a", "https://u:p@host/a",
		"file:///a", "https://", "https://host", "https://host/a?b", "https://[::1]:1/a", "https://host/%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, repoURL string) {
		at, err := parseAddress(repoURL)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%q: %v, want a refusal", repoURL, err)
			}
			return
		}
		if !strings.HasPrefix(at.url, "https://") && !strings.HasPrefix(at.url, "http://") {
			t.Errorf("%q is reached at %q", repoURL, at.url)
		}
		e, err := remote{address: at}.endpoint()
		if err != nil {
			return
		}
		if e.User != "" || e.Password != "" || e.Protocol == "http" && !loopback.Is(strings.Trim(e.Host, "[]")) || e.Protocol != "http" && e.Protocol != "https" {
			t.Errorf("%q is reached at %+v", repoURL, e)
		}
	})
}
