package gitrepo

import (
	"regexp"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// The trailers that this package itself writes and looks for.
const (
	// TrailerPromotion names the promotion that a commit belongs to.
	TrailerPromotion = "Waybill-Promotion"
	// TrailerBase names, on a stage branch, the commit whose tree was taken.
	TrailerBase = "Waybill-Base"
	// TrailerOwner names, on a stage branch, the stage.
	TrailerOwner = "Waybill-Owner"
)

// Trailer is a line at the end of a commit message: "Key: Value".
type Trailer struct {
	Key, Value string
}

// Change is what is to be committed to a branch.
type Change struct {
	// RepoURL is the repository's https:// URL.
	RepoURL string
	// Branch is the branch's short name: main, env/prod.
	Branch string
	// Own marks a stage branch: the tree of the commit is Base's with Files and
	// without Removed, not the branch's own. Its parent is the branch's tip; a branch that does not
	// exist is made, on Base.
	Own bool
	// Base is the full ID of the commit whose tree an Own branch takes; empty
	// for the head of the repository's default branch.
	Base string
	// Owner names whose an Own branch is. One whose tip names another owner is
	// refused: the two would undo each other.
	Owner string
	// Tip is the full ID of the only commit that the change may be made on, where
	// its outcome was judged before: the branch's tip at that time. The error is
	// ErrMoved where the branch stands elsewhere, unless it holds the change.
	// Empty for whatever the tip is. A branch that is Own is bound by Base.
	Tip string
	// Files are added or replaced, by their path from the root. A file that is
	// there keeps its mode.
	Files map[string][]byte
	// Removed are files, and folders with all below, that the tree does not have
	// then, by their path from the root. What is not there need not be removed.
	Removed []string
	// Admits is asked before a file at the tip is replaced by other content, with
	// what it holds. Its error ends the call. Nil admits everything.
	Admits func(path string, present []byte) error
	// Judged are the paths that Admits is asked about: all of Files where it is nil.
	Judged []string
	// Message is the subject, and after an empty line the body.
	Message string
	// Promotion is the promotion's ID: the commit's trailer Waybill-Promotion,
	// by which a repeated change is recognised.
	Promotion string
	// Trailers are written in this order, after those of this package.
	Trailers []Trailer
	// At is the commit's time: given, so that a repeated change on the same tip
	// is the same commit.
	At time.Time
}

// Written tells what a branch holds after a change.
type Written struct {
	// Commit is the full ID of the branch's tip, which holds the files.
	Commit string
	// Base is the commit whose tree was taken; empty unless the branch is Own.
	Base string
	// Changed is false when the tip, by an earlier call or by somebody else's
	// push, held exactly this before.
	Changed bool
}

const maxChange = 32 << 20 // bytes of all files of a change

var (
	fullID     = regexp.MustCompile(`^[0-9a-f]{40}$`)
	trailerKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)
)

// check tells what is wrong with a change, and returns its files as a folder.
func (c Change) check() (*folder, error) {
	if c.At.IsZero() || c.Message == "" {
		return nil, refused(nil, "a change without a message or a time cannot be committed to Git")
	}
	if err := plumbing.NewBranchReferenceName(c.Branch).Validate(); c.Branch == "" || err != nil {
		return nil, refused(err, "%q is not the name of a Git branch", sentence.OneLine(c.Branch))
	}
	if c.Base != "" && !fullID.MatchString(c.Base) {
		return nil, refused(ErrNoRevision, "%q is not the full ID of a Git commit (40 hex digits)", sentence.OneLine(c.Base))
	}
	for _, t := range c.Trailers {
		if !trailerKey.MatchString(t.Key) || t.Key == TrailerPromotion || t.Key == TrailerBase || t.Key == TrailerOwner {
			return nil, refused(nil, "%q cannot be used as a trailer of a Git commit", sentence.OneLine(t.Key))
		}
	}
	root, size := &folder{}, 0
	for path, content := range c.Files {
		segments, err := splitPath(path)
		if err != nil {
			return nil, err
		}
		if err := root.add(segments, content); err != nil {
			return nil, refused(err, "%s cannot be written: the same change writes a file where it needs a folder", path)
		}
		if size += len(content); size > maxChange {
			return nil, refused(nil, "the files of one Git commit are larger than %d MiB", maxChange>>20)
		}
	}
	for _, path := range c.Removed {
		segments, err := splitPath(path)
		if err != nil {
			return nil, err
		}
		if err := root.remove(segments); err != nil {
			return nil, refused(err, "%s cannot be removed: the same change writes there", path)
		}
	}
	return root, nil
}

// text is the commit's message with its trailers, which are a paragraph of
// their own.
func (c Change) text(base string) string {
	var trailers []Trailer
	if c.Promotion != "" {
		trailers = append(trailers, Trailer{TrailerPromotion, c.Promotion})
	}
	if c.Own {
		trailers = append(trailers, Trailer{TrailerBase, base})
		if c.Owner != "" {
			trailers = append(trailers, Trailer{TrailerOwner, c.Owner})
		}
	}
	var b strings.Builder
	message := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(c.Message)
	b.WriteString(strings.TrimSpace(message) + "\n")
	for i, t := range append(trailers, c.Trailers...) {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(t.Key + ": " + strings.Join(strings.Fields(t.Value), " ") + "\n")
	}
	return b.String()
}

// trailersOf reads the trailers of a commit's message: its last paragraph,
// which is never the first.
func trailersOf(message string) map[string]string {
	paragraphs := strings.Split(strings.TrimSpace(message), "\n\n")
	found := map[string]string{}
	if len(paragraphs) == 1 {
		return found
	}
	for line := range strings.Lines(paragraphs[len(paragraphs)-1]) {
		if key, value, ok := strings.Cut(line, ":"); ok && trailerKey.MatchString(key) {
			found[key] = strings.TrimSpace(value)
		}
	}
	return found
}
