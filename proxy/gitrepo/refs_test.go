package gitrepo

import (
	"strings"
	"testing"
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
