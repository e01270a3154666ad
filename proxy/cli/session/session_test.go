package session

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

// lonely takes away what the machine says of Argo CD, and returns a home folder.
func lonely(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"ARGOCD_CONFIG_DIR", "XDG_CONFIG_HOME", "ARGOCD_OPTS", envServer, envToken} {
		t.Setenv(name, "")
	}
	return home
}

// install puts a golden config file where argocd keeps it, with argocd's mode,
// which a checkout does not preserve.
func install(t *testing.T, golden, at string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", golden))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, args ...string) Flags {
	t.Helper()
	var flags Flags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestASessionIsFoundWhereArgocdFindsIt(t *testing.T) {
	type want struct {
		URL, Token, Renew string
		Insecure          bool
	}
	for name, tc := range map[string]struct {
		golden string
		env    map[string]string
		args   []string
		want   want
	}{
		"the current context": {
			golden: "two-contexts.yaml",
			want:   want{URL: "https://cd.example.com", Token: "token-of-cd", Renew: "log in again: argocd login cd.example.com --sso"},
		},
		"a named context, plain text because it was logged in so": {
			golden: "two-contexts.yaml", args: []string{"--argocd-context", "lab"},
			want: want{URL: "http://localhost:8080", Token: "token-of-lab", Insecure: true, Renew: "log in again: argocd login localhost:8080 --plaintext"},
		},
		"the root path and the certificate choice of its context": {
			golden: "two-contexts.yaml", args: []string{"--argocd-context", "argo-path"},
			want: want{URL: "https://tools.example.com:8443/argo", Token: "token-of-tools", Insecure: true, Renew: "log in again: argocd login tools.example.com:8443 --insecure --grpc-web-root-path argo"},
		},
		"a server by flag takes the session at that server": {
			golden: "two-contexts.yaml", args: []string{"--server", "localhost:8080"},
			want: want{URL: "http://localhost:8080", Token: "token-of-lab", Insecure: true, Renew: "log in again: argocd login localhost:8080 --plaintext"},
		},
		"a server is the same with its default port": {
			golden: "two-contexts.yaml", env: map[string]string{envServer: "CD.example.com:443"},
			want: want{URL: "https://CD.example.com:443", Token: "token-of-cd", Renew: "log in again: argocd login CD.example.com:443 --sso"},
		},
		"the environment alone": {
			env:  map[string]string{envServer: "ci.example.com", envToken: "token-of-ci"},
			want: want{URL: "https://ci.example.com", Token: "token-of-ci", Renew: "set another token in ARGOCD_AUTH_TOKEN"},
		},
		"a flag before the environment before the file": {
			golden: "two-contexts.yaml",
			env:    map[string]string{envServer: "ci.example.com", envToken: "token-of-ci"},
			args:   []string{"--server", "other.example.com", "--auth-token", " token-of-flag\n"},
			want:   want{URL: "https://other.example.com", Token: "token-of-flag", Renew: "give another token with --auth-token"},
		},
		"ARGOCD_OPTS before the environment": {
			env:  map[string]string{envServer: "ci.example.com", "ARGOCD_OPTS": "--server opts.example.com --grpc-web --auth-token=token-of-opts --grpc-web-root-path /argo/ --insecure"},
			want: want{URL: "https://opts.example.com/argo", Token: "token-of-opts", Insecure: true, Renew: "give another token with --auth-token"},
		},
		"a flag before ARGOCD_OPTS": {
			env:  map[string]string{"ARGOCD_OPTS": "--server opts.example.com --auth-token token-of-opts"},
			args: []string{"--server", "flag.example.com"},
			want: want{URL: "https://flag.example.com", Token: "token-of-opts", Renew: "give another token with --auth-token"},
		},
		"plain text by flag": {
			env:  map[string]string{envToken: "token-of-ci"},
			args: []string{"--server", "ci.example.com", "--plaintext"},
			want: want{URL: "http://ci.example.com", Token: "token-of-ci", Renew: "set another token in ARGOCD_AUTH_TOKEN"},
		},
		"an http URL of this very machine": {
			env:  map[string]string{envToken: "token-of-ci"},
			args: []string{"--server", "http://127.0.0.1:8080/"},
			want: want{URL: "http://127.0.0.1:8080", Token: "token-of-ci", Renew: "set another token in ARGOCD_AUTH_TOKEN"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := lonely(t)
			if tc.golden != "" {
				install(t, tc.golden, filepath.Join(home, ".config", "argocd", "config"))
			}
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			s, err := parse(t, tc.args...).Resolve()
			if err != nil {
				t.Fatal(err)
			}
			got := want{URL: s.URL.String(), Token: string(s.Token), Renew: s.Renew, Insecure: s.TLS.InsecureSkipVerify}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("session (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoSessionSaysWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		golden string
		env    map[string]string
		args   []string
		want   string
	}{
		"nothing at all": {want: "log in with argocd login, or name one with --server"},
		"logged out":     {golden: "logged-out.yaml", want: "you are not logged in at cd.example.com: argocd login cd.example.com"},
		"core mode":      {golden: "core.yaml", want: "core mode has no argocd-server"},
		"core by flag":   {args: []string{"--core"}, want: "core mode has no argocd-server"},
		"core by ARGOCD_OPTS": {
			golden: "two-contexts.yaml", env: map[string]string{"ARGOCD_OPTS": "--core"}, want: "core mode has no argocd-server",
		},
		"port-forward":         {golden: "port-forward.yaml", want: "forward the port yourself"},
		"port-forward by flag": {args: []string{"--port-forward"}, want: "forward the port yourself"},
		"a context that is not there": {
			golden: "two-contexts.yaml", args: []string{"--argocd-context", "prod"},
			want: `no complete context "prod": it has cd.example.com, lab, argo-path`,
		},
		"a context without its server": {golden: "dangling.yaml", want: `no complete context "cd.example.com"`},
		"a token of one server asked for another": {
			golden: "two-contexts.yaml", args: []string{"--server", "evil.example.com"},
			want: "you are not logged in at evil.example.com: argocd login evil.example.com",
		},
		"a context and another server": {
			golden: "two-contexts.yaml", args: []string{"--argocd-context", "lab", "--server", "cd.example.com"},
			want: `context "lab" is a session at localhost:8080, not at cd.example.com`,
		},
		"a file that is not YAML": {golden: "broken.yaml", want: "~/.config/argocd/config is not YAML of argocd's form"},
		"HTTP over the network": {
			args: []string{"--server", "http://cd.example.com", "--auth-token", "t"}, want: "without TLS",
		},
		"https and plain text": {
			args: []string{"--server", "https://cd.example.com", "--auth-token", "t", "--plaintext"}, want: "leave one of them out",
		},
		"an address with a path": {
			args: []string{"--server", "cd.example.com/argo", "--auth-token", "t"}, want: "--grpc-web-root-path",
		},
		"an address with a password": {
			args: []string{"--server", "https://me:pw@cd.example.com", "--auth-token", "t"}, want: "is not the address of a server",
		},
		"another scheme": {
			args: []string{"--server", "ssh://cd.example.com", "--auth-token", "t"}, want: "neither http nor https",
		},
		"a token that is two": {
			args: []string{"--server", "cd.example.com", "--auth-token", "a b"}, want: "the token holds characters",
		},
		"a header without a value": {
			args: []string{"--server", "cd.example.com", "--auth-token", "t", "-H", "secret"}, want: `not of the form "Name: value"`,
		},
		"half a client certificate": {
			args: []string{"--server", "cd.example.com", "--auth-token", "t", "--client-crt", "testdata/core.yaml"}, want: "give both --client-crt and --client-crt-key",
		},
		"a certificate file that is none": {
			args: []string{"--server", "cd.example.com", "--auth-token", "t", "--server-crt", "testdata/core.yaml"}, want: "no certificate in PEM form",
		},
		"a certificate file that is not there": {
			args: []string{"--server", "cd.example.com", "--auth-token", "t", "--server-crt", "testdata/none"}, want: "cannot be read from testdata/none",
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := lonely(t)
			if tc.golden != "" {
				install(t, tc.golden, filepath.Join(home, ".config", "argocd", "config"))
			}
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			_, err := parse(t, tc.args...).Resolve()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestTheConfigFileIsLookedForWhereArgocdKeepsIt(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		at   string
	}{
		"a folder by variable": {env: map[string]string{"ARGOCD_CONFIG_DIR": "elsewhere", "XDG_CONFIG_HOME": "xdg"}, at: "elsewhere/config"},
		"the old folder":       {env: map[string]string{"XDG_CONFIG_HOME": "xdg"}, at: ".argocd/config"},
		"the XDG folder":       {env: map[string]string{"XDG_CONFIG_HOME": "xdg"}, at: "xdg/argocd/config"},
		"the default":          {at: ".config/argocd/config"},
		"a flag":               {args: []string{"--config", "mine"}, at: "mine"},
		"ARGOCD_OPTS":          {env: map[string]string{"ARGOCD_OPTS": "--config mine"}, at: "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			home := lonely(t)
			install(t, "two-contexts.yaml", filepath.Join(home, tc.at))
			t.Chdir(home)
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			s, err := parse(t, tc.args...).Resolve()
			if err != nil || s.URL.Host != "cd.example.com" {
				t.Errorf("got %v, %v, want the session at cd.example.com", s.URL, err)
			}
		})
	}
}

func TestAConfigFileThatOthersMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean little on Windows")
	}
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o644: false, 0o700: false, 0o604: false} {
		t.Run(fmt.Sprintf("%04o", mode), func(t *testing.T) {
			home := lonely(t)
			at := filepath.Join(home, ".config", "argocd", "config")
			install(t, "two-contexts.yaml", at)
			if err := os.Chmod(at, mode); err != nil {
				t.Fatal(err)
			}
			_, err := parse(t).Resolve()
			if good && err != nil || !good && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
				t.Errorf("mode %04o: got error %v", mode, err)
			}
		})
	}
}

func TestHeadersComeFromTheFlagElseFromTheOptions(t *testing.T) {
	lonely(t)
	t.Setenv("ARGOCD_OPTS", `--header 'X-One: 1,X-Two: 2'`)
	base := []string{"--server", "cd.example.com", "--auth-token", "t"}
	s, err := parse(t, base...).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(http.Header{"X-One": {"1"}, "X-Two": {"2"}}, s.Header); diff != "" {
		t.Errorf("from ARGOCD_OPTS (-want +got):\n%s", diff)
	}
	s, err = parse(t, append(base, "-H", "X-Three: a: b")...).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(http.Header{"X-Three": {"a: b"}}, s.Header); diff != "" {
		t.Errorf("from the flag (-want +got):\n%s", diff)
	}
}

func TestATokenDoesNotPrint(t *testing.T) {
	lonely(t)
	flags := parse(t, "--server", "cd.example.com", "--auth-token", "very-secret")
	s, err := flags.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, s); strings.Contains(text, "very-secret") {
			t.Errorf("%s prints the token: %s", format, text)
		}
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	t.Setenv(envToken, "very-secret")
	t.Setenv("ARGOCD_OPTS", "--auth-token very-secret")
	new(Flags).Register(set)
	if strings.Contains(set.FlagUsages(), "very-secret") {
		t.Error("help prints the token")
	}
}

func FuzzAConfigFileIsReadOrRefusedWithoutQuotingIt(f *testing.F) {
	goldens, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range goldens {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "", "")
		f.Add(text, "lab", "localhost:8080")
	}
	f.Fuzz(func(t *testing.T, text []byte, context, server string) {
		file, err := parseConfig(text)
		if err != nil {
			if s := err.Error(); s != "is not YAML of argocd's form: log in again with argocd login" && !strings.HasPrefix(s, "is larger than") {
				t.Fatalf("the error tells more than it should: %s", s)
			}
			return
		}
		chosen, ok, err := contextFor(file, context, server)
		if ok && err != nil {
			t.Fatalf("a context was chosen with the error %v", err)
		}
		if ok && server != "" && !sameServer(server, chosen.Server.Server) {
			t.Fatalf("the session at %q was chosen for %q", chosen.Server.Server, server)
		}
	})
}

func FuzzAnAddressNeverLosesTLSUnasked(f *testing.F) {
	for _, seed := range []string{"cd.example.com", "http://localhost:1", "http://[::1]:80", "https://a", "http://127.0.0.1.evil.example.com", "HTTP://a", "a b", "//", "::", "http:///"} {
		f.Add(seed, "argo")
	}
	f.Fuzz(func(t *testing.T, address, rootPath string) {
		u, err := parseAddress(address, rootPath, false)
		if err == nil && u.Scheme != "https" && !loopback.Is(u.Hostname()) {
			t.Fatalf("%q became %s", address, u)
		}
	})
}
