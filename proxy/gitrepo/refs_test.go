package gitrepo

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// The text is what a host answers when it is asked for its references.
func FuzzTagsOfAHostHaveProperNames(f *testing.F) {
	id := strings.Repeat("1f", 20)
	f.Add("003c" + id + " HEAD\x00symref=HEAD:x\n0040" + id + " refs/tags/v1.0.0\n0043" + id + " refs/tags/v1.0.0^{}\n0000")
	f.Add("0000")
	f.Add("003d" + id + " refs/tags/\xff\n0000")
	f.Fuzz(func(t *testing.T, text string) {
		refs := packp.NewAdvRefs()
		if refs.Decode(strings.NewReader(text)) != nil {
			return
		}
		all := (&reading{refs: refs}).allRefs()
		for name, tag := range all.Tags {
			if name == "" || len(name) > maxTagName || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\n\r\t \x7f\u0085\u2028") {
				t.Errorf("%q is taken for a tag", name)
			}
			if !fullID.MatchString(tag.Object) || !fullID.MatchString(tag.Commit) {
				t.Errorf("tag %q names %q, %q", name, tag.Object, tag.Commit)
			}
		}
	})
}

func FuzzAHostIsNeverLeftAloneForGood(f *testing.F) {
	for _, header := range []string{"", "0", "120", "-1", "soon", "99999999999", "Wed, 21 Oct 2065 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT"} {
		f.Add(header)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if wait := retryAfter(header, now); wait < 0 || wait > maxHold {
			t.Errorf("Retry-After: %q is %s", header, wait)
		}
	})
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0, "": 0, "soon": 0, "1000000": maxHold,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After: %q is %s, want %s", header, got, want)
		}
	}
}
