package refusal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

func TestTheFirstLineStandsAlone(t *testing.T) {
	shop := refusal.Subject{Application: "shop-prod", Stage: "shop/prod", Freight: []string{"7d3f0c1"}}
	tests := []struct {
		name    string
		subject refusal.Subject
		err     error
		want    string
	}{
		{
			name:    "with all that is known",
			subject: shop,
			err:     refusal.New("two pins for one repository", "promote again"),
			want:    "Application shop-prod (stage shop/prod, freight 7d3f0c1): two pins for one repository: promote again\n",
		},
		{
			name:    "before the waybill is read",
			subject: refusal.Subject{Application: "shop-dev"},
			err:     refusal.New("it has no waybill", "promote freight into its stage"),
			want:    "Application shop-dev: it has no waybill: promote freight into its stage\n",
		},
		{
			name: "before the Application is known",
			err:  errors.New("ARGOCD_APP_NAME is not set"),
			want: "waybill-plugin: ARGOCD_APP_NAME is not set\n",
		},
		{
			name:    "with what wraps the refusal",
			subject: refusal.Subject{Application: "shop"},
			err:     fmt.Errorf("deployment.yaml: %w", refusal.New("it has no kind", "add one")),
			want:    "Application shop: deployment.yaml: it has no kind: add one\n",
		},
		{
			name:    "folding lines and dropping control characters",
			subject: refusal.Subject{Application: "shop"},
			err:     errors.New("first\n\tsecond\x1b[31m"),
			want:    "Application shop: first second[31m\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, refusal.Message(tt.subject, tt.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALongCauseIsCutInTheMiddleAndToldInFullBelow(t *testing.T) {
	cause := "accumulating resources: " + strings.Repeat("from a base of a base, ", 12) + "no such file"
	got := refusal.Message(refusal.Subject{Application: "shop-prod"}, refusal.New(cause, "add the file"))

	line, rest, _ := strings.Cut(got, "\n")
	if n := utf8.RuneCountInString(line); n >= 200 {
		t.Errorf("the first line has %d characters: %s", n, line)
	}
	for _, want := range []string{"Application shop-prod: accumulating resources", "…", "no such file: add the file"} {
		if !strings.Contains(line, want) {
			t.Errorf("the first line lacks %q: %s", want, line)
		}
	}
	if !strings.Contains(rest, cause) {
		t.Errorf("the lines below lack the cause in full: %s", rest)
	}
}

func TestAWrappedErrorStaysInTheChain(t *testing.T) {
	if err := refusal.Wrap(fs.ErrNotExist, "add it"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("errors.Is does not find the cause of %v", err)
	}
}

func FuzzTheFirstLineIsBounded(f *testing.F) {
	f.Add("shop-prod", "shop/prod", "7d3f0c1", "cause", "remedy")
	f.Add(strings.Repeat("a", 400), strings.Repeat("b", 400), strings.Repeat("c", 400), strings.Repeat("d ", 4000), strings.Repeat("é", 400))
	f.Add("", "", "", "", "")
	f.Add("\n", "\xff", "\u2028", "a\nb", "\x00")
	f.Fuzz(func(t *testing.T, application, stage, id, cause, remedy string) {
		subject := refusal.Subject{Application: application, Stage: stage, Freight: []string{id, id}}
		got := refusal.Message(subject, refusal.New(cause, remedy))
		line, _, _ := strings.Cut(got, "\n")
		if n := utf8.RuneCountInString(line); n >= 200 || n == 0 {
			t.Errorf("the first line has %d characters: %q", n, line)
		}
		if n := utf8.RuneCountInString(got); n > 2001 {
			t.Errorf("the message has %d characters", n)
		}
	})
}
