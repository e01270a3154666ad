package gitrepo_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestRefusalsTellTheThingTheCauseAndTheRemedy(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	files := map[string]string{"w.yaml": "1"}
	with := func(f func(*gitrepo.Change)) gitrepo.Change {
		c := h.change(files)
		f(&c)
		return c
	}
	for name, test := range map[string]struct {
		change gitrepo.Change
		told   string
	}{
		"a branch that does not exist": {
			with(func(c *gitrepo.Change) { c.Branch = "release" }),
			"has no branch release: push it",
		},
		"a repository that does not exist": {
			with(func(c *gitrepo.Change) { c.RepoURL = h.URL("cart") }),
			"there is no Git repository " + h.URL("cart"),
		},
		"no name of a branch": {
			with(func(c *gitrepo.Change) { c.Branch = "a..b" }),
			`"a..b" is not the name of a Git branch`,
		},
		"a path out of the repository": {
			with(func(c *gitrepo.Change) { c.Files["../w.yaml"] = nil }),
			`"../w.yaml" is not the path of a file`,
		},
		"a file where a folder is needed": {
			with(func(c *gitrepo.Change) { c.Files["w.yaml/x"] = nil }),
			"the same change writes a file where it needs a folder",
		},
		"a base that is no commit's ID": {
			with(func(c *gitrepo.Change) { c.Own, c.Base = true, "main" }),
			`"main" is not the full ID of a Git commit`,
		},
		"a base that is not there": {
			with(func(c *gitrepo.Change) { c.Own, c.Base = true, strings.Repeat("1", 40) }),
			"has no commit 1111111111111111111111111111111111111111",
		},
		"an address of SSH": {
			with(func(c *gitrepo.Change) { c.RepoURL = "ssh://git@git.example.com/shop.git" }),
			"holds credentials",
		},
		"an address of SSH without a user": {
			with(func(c *gitrepo.Change) { c.RepoURL = "ssh://git.example.com/shop.git" }),
			"this version of Waybill reads and writes Git over HTTPS only",
		},
		"an address as scp takes it": {
			with(func(c *gitrepo.Change) { c.RepoURL = "git@git.example.com:shop.git" }),
			"this version of Waybill reads and writes Git over HTTPS only",
		},
		"a folder of the machine": {
			with(func(c *gitrepo.Change) { c.RepoURL = "file:///srv/shop.git" }),
			"is not a URL",
		},
		"plain HTTP": {
			with(func(c *gitrepo.Change) { c.RepoURL = "http://git.example.com/shop.git" }),
			"reached over plain HTTP",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.repositories.Commit(t.Context(), test.change)
			if !errors.Is(err, gitrepo.ErrRefused) {
				t.Fatalf("error %v, want a refusal", err)
			}
			if !strings.Contains(err.Error(), test.told) {
				t.Errorf("it tells %q, want %q in it", err, test.told)
			}
		})
	}
}

// A record keeps the sentence, and is written where that is another one.
func TestTheSameTroubleIsToldInTheSameWords(t *testing.T) {
	h := serve(t, nil)
	for told, trouble := range map[string]func(port int) error{
		"cannot be reached (connection reset by peer): try again later": func(port int) error {
			return &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port}, Addr: &net.TCPAddr{Port: 443}, Err: syscall.ECONNRESET}
		},
		"cannot be looked up now: try again later": func(port int) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: fmt.Sprintf("read udp 10.0.0.7:%d->10.0.0.1:53: i/o timeout", port), Name: "git.example.com", IsTimeout: true}}
		},
	} {
		port := 40000
		h.open(t, gitrepo.Options{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			port++
			return nil, trouble(port)
		})})
		for range 2 {
			if _, err := h.repositories.Branches(t.Context(), h.url); err == nil || !strings.HasSuffix(err.Error(), told) || errors.Is(err, gitrepo.ErrRefused) {
				t.Errorf("it tells %v, want %q at its end", err, told)
			}
		}
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	h := serve(t, nil)
	for name, test := range map[string]struct {
		credentials account
		url         string
		told        string
	}{
		"a wrong password": {
			account{h.User(), "hunter2"}, h.url,
			"put a user name and a password (or token) that may write it into its repository Secret in Waybill's namespace",
		},
		"none where one is needed": {account{}, h.url, "asks for credentials"},
		"one in the URL": {
			account{}, "https://ann:hunter2@git.example.com/shop.git",
			"take them out of the URL",
		},
		"one in a broken URL": {account{}, "https://ann:hunter2@git.example.com:port/shop.git", "is not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := gitrepo.New(test.credentials, gitrepo.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			c := h.change(map[string]string{"w.yaml": "1"})
			c.RepoURL = test.url
			_, err = r.Commit(t.Context(), c)
			if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), test.told) {
				t.Errorf("error %v, want a refusal that tells %q", err, test.told)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestRefusalOfAHookIsTold(t *testing.T) {
	h := serve(t, nil)
	hook := "#!/bin/sh\necho 'main is protected: open a pull request' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(h.dir, "shop.git", "hooks", "pre-receive"), []byte(hook), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := h.repositories.Commit(t.Context(), h.change(map[string]string{"w.yaml": "1"}))
	if !errors.Is(err, gitrepo.ErrRefused) {
		t.Fatalf("error %v, want a refusal", err)
	}
	if want := "does not accept the push to branch main (pre-receive hook declined: main is protected: open a pull request)"; !strings.Contains(err.Error(), want) {
		t.Errorf("it tells %q, want %q in it", err, want)
	}
	if n := h.Traffic.Count(pushes); n != 1 {
		t.Errorf("%d pushes, want 1", n)
	}
}

func TestFaultsOfTheHostAreOfTheMoment(t *testing.T) {
	h := serve(t, nil)
	const requests = 4 // of a first commit
	for i := range requests {
		for name, f := range map[string]*fault.Fault{
			"status": {Status: http.StatusBadGateway, Body: "<html>secret internals</html>"},
			"drop":   {Drop: true},
			"junk":   {Status: http.StatusOK, Body: "<html>secret internals</html>"},
		} {
			h.open(t, gitrepo.Options{})
			c := h.change(map[string]string{"w.yaml": fmt.Sprint(name, i)})
			var n atomic.Int64
			h.Traffic.SetFault(func(*http.Request) *fault.Fault {
				if n.Add(1) > int64(i) {
					return f
				}
				return nil
			})
			_, err := h.repositories.Commit(t.Context(), c)
			h.Traffic.SetFault(nil)
			if err == nil || errors.Is(err, gitrepo.ErrRefused) {
				t.Errorf("%s from request %d on: %v, want an error of the moment", name, i+1, err)
			}
			if err != nil && strings.Contains(err.Error(), "internals") {
				t.Errorf("%s from request %d on: the error repeats the page: %v", name, i+1, err)
			}
			if got := h.commit(t, c); !got.Changed {
				t.Errorf("%s from request %d on: the change arrived all the same", name, i+1)
			}
		}
	}
}
