package receiver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/extension/selection"
)

// gitPush is a push as GitHub, Gitea and Forgejo tell it.
type gitPush struct {
	Ref        string        `json:"ref"`
	Created    bool          `json:"created"`
	Deleted    bool          `json:"deleted"`
	Forced     *bool         `json:"forced"` // GitHub's alone
	Repository gitRepository `json:"repository"`
	Commits    []gitCommit   `json:"commits"`
}

type gitRepository struct {
	HTMLURL       string `json:"html_url"`
	CloneURL      string `json:"clone_url"`
	SSHURL        string `json:"ssh_url"`
	DefaultBranch string `json:"default_branch"`
}

type gitCommit struct {
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

func (p gitPush) pushes() ([]selection.Push, error) {
	push := selection.Push{
		RepoURLs:      present(p.Repository.CloneURL, p.Repository.SSHURL, p.Repository.HTMLURL),
		DefaultBranch: p.Repository.DefaultBranch,
		Paths:         p.paths(),
	}
	return refPush(push, p.Ref)
}

// refPush completes a push by its ref. A ref that is neither a branch nor a tag,
// such as one of notes, concerns nobody.
func refPush(push selection.Push, ref string) ([]selection.Push, error) {
	if len(push.RepoURLs) == 0 || ref == "" {
		return nil, errPayload
	}
	if branch, is := strings.CutPrefix(ref, "refs/heads/"); is && branch != "" {
		push.Branch = branch
	} else if tag, is := strings.CutPrefix(ref, "refs/tags/"); is && tag != "" {
		push.Tags = []string{tag}
	} else {
		return nil, nil
	}
	return []selection.Push{push}, nil
}

// The numbers of commits of a push, and of paths of a commit, from which on a
// host may have left some out. Hosts document larger ones, and have had smaller
// ones.
const (
	manyCommits = 20
	manyPaths   = 300
)

// paths returns all files that a push changed, nil where they are not surely all.
//
// A branch that was moved by force may have lost commits that no list tells of,
// so that a push counts only where the sender says whether it was forced; of
// these hosts GitHub alone does.
func (p gitPush) paths() []string {
	if p.Created || p.Deleted || p.Forced == nil || *p.Forced || len(p.Commits) >= manyCommits {
		return nil
	}
	var all []string
	for _, c := range p.Commits {
		n := len(c.Added) + len(c.Modified) + len(c.Removed)
		if n == 0 || n >= manyPaths {
			return nil // of a merge, say, nothing may be told
		}
		all = append(append(append(all, c.Added...), c.Modified...), c.Removed...)
	}
	return all
}

func present(values ...string) []string {
	var all []string
	for _, v := range values {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}

// document returns the JSON of a body: GitHub and Gitea can send it as the field
// of a form, too.
func document(h http.Header, body []byte) []byte {
	if !strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return []byte(form.Get("payload"))
}

// decode reads a payload; unknown fields are the sender's affair.
func decode(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return errPayload
	}
	return nil
}
