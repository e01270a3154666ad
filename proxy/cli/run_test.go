package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// ran is what a command left behind.
type ran struct {
	code     int
	out, err string
}

// at lets commands find the stand-in, and nothing else.
func at(t *testing.T, server string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"ARGOCD_CONFIG_DIR", "XDG_CONFIG_HOME", "ARGOCD_OPTS", "NO_COLOR"} {
		t.Setenv(name, "")
	}
	t.Setenv("ARGOCD_SERVER", server)
	t.Setenv("ARGOCD_AUTH_TOKEN", token)
}

func run(t *testing.T, s *standIn, args ...string) ran {
	t.Helper()
	return runWith(t, t.Context(), s, "", args...)
}

func runWith(t *testing.T, ctx context.Context, s *standIn, input string, args ...string) ran {
	t.Helper()
	server := ""
	if s != nil {
		server = s.http.URL
	}
	at(t, server)
	var out, err bytes.Buffer
	code := Run(ctx, Program{
		Args: args, Version: "v0.0.0-test", In: bytes.NewBufferString(input), Out: &out, Err: &err,
		Now: func() time.Time { return now }, Interval: time.Millisecond,
	})
	return ran{code: code, out: out.String(), err: err.String()}
}

// golden compares with a file of testdata/golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
