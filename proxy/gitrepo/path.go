package gitrepo

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

const (
	maxPath    = 4096 // bytes; what file systems take
	maxSegment = 255
)

// splitPath takes the path of a file in a repository apart. It refuses every
// path that would, on any file system where somebody checks the branch out,
// name something outside the work tree or inside .git.
func splitPath(path string) ([]string, error) {
	bad := func(why string) ([]string, error) {
		return nil, refused(nil, "%q is not the path of a file in a Git repository: it %s", sentence.OneLine(path), why)
	}
	if path == "" {
		return bad("is empty")
	}
	if len(path) > maxPath {
		return bad("is too long")
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) || strings.Contains(path, `\`) {
		return bad("holds a control character, a backslash or what is no UTF-8")
	}
	segments := strings.Split(path, "/")
	for _, s := range segments {
		switch {
		case s == "":
			return bad("starts or ends with a slash, or holds two in a row")
		case s == "." || s == "..":
			return bad(fmt.Sprintf("holds the segment %q", s))
		case len(s) > maxSegment:
			return bad(fmt.Sprintf("holds a segment of more than %d bytes", maxSegment))
		case dotGit(s):
			return bad("leads into .git")
		}
	}
	return segments, nil
}

// dotGit tells whether a file system may take a name for .git: HFS+ ignores
// letter case and format characters, NTFS letter case, trailing dots and
// spaces, what follows a colon, and it knows .git as git~1 too
// (git, path.c, is_ntfs_dotgit; utf8.c, is_hfs_dotgit).
func dotGit(name string) bool {
	name = strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name))
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, ". ")
	return name == ".git" || name == "git~1"
}
