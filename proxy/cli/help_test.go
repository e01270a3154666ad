package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheHelpOfACommandThatCallsNoServerHasNoFlagsOfOne(t *testing.T) {
	for _, args := range [][]string{{"webhook"}, {"webhook", "new"}, {"webhook", "url"}, {"lint"}, {"convert"}, {"gate-secrets"}, {"version"}} {
		got := run(t, nil, append(args, "--help")...)
		if got.code != ExitOK || strings.Contains(got.out, "Global Flags") || strings.Contains(got.out, "--auth-token") || !strings.Contains(got.out, "-h, --help") {
			t.Errorf("%v: %+v", args, got)
		}
		if helped := run(t, nil, append([]string{"help"}, args...)...); helped.out != got.out {
			t.Errorf("help %v differs from its --help:\n%s", args, helped.out)
		}
	}
	for _, args := range [][]string{{}, {"promote"}, {"doctor"}, {"get", "stages"}} {
		if got := run(t, nil, append(args, "--help")...); !strings.Contains(got.out, "--auth-token") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	// A script that passes them to all commands goes on.
	if got := run(t, nil, "version", "--server", "cd.example.com"); got.code != ExitOK {
		t.Errorf("got %+v", got)
	}
}

func TestTheHelpOfWebhookNewFitsTheScreen(t *testing.T) {
	for line := range strings.SplitSeq(run(t, nil, "webhook", "new", "--help").out, "\n") {
		if width := utf8.RuneCountInString(line); width > helpWidth {
			t.Errorf("%d characters: %s", width, line)
		}
	}
}

func TestTextIsWrappedBetweenWords(t *testing.T) {
	long := strings.Repeat("x", helpWidth+1)
	for text, want := range map[string]string{
		"":                        "",
		"one\ntwo\n\nthree":       "one two\n\nthree",
		long + " a":               long + "\na",
		long[:80] + " abc":        long[:80] + " abc",
		long[:80] + " abcd":       long[:80] + "\nabcd",
		"a " + long[:80] + " b c": "a " + long[:80] + " b\nc",
	} {
		if got := wrap(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
