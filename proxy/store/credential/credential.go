// Package credential tells which of several credentials is for a Git repository.
package credential

import (
	"math"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
)

// LabelType marks a Secret in Argo CD's own format
// (argo-cd, docs/operator-manual/declarative-setup.md, Repositories).
const LabelType = "argocd.argoproj.io/secret-type"

// The values of [LabelType] that matter.
const (
	typeRepository = "repository" // for the one repository at url
	typeRepoCreds  = "repo-creds" // for every repository below url
)

// Secret is one in Argo CD's own format, without what is secret.
type Secret struct {
	// Type is the value of [LabelType].
	Type string
	URL  string
	// Complete tells that it holds a user or a password.
	Complete bool
}

// Nearness tells how closely a Secret fits a repository, as freight.GitRepository
// spells it: the greater the more, 0 for not at all. As in Argo CD, a
// repository's own Secret that holds neither user nor password is passed over.
func Nearness(s Secret, repo string) int {
	switch s.Type {
	case typeRepository:
		if freight.GitRepository(s.URL) == repo && s.Complete {
			return math.MaxInt
		}
	case typeRepoCreds:
		// A prefix ends where a part of the path does, so that the credentials
		// of /team never go to /team-b.
		if prefix, ok := prefixOf(s.URL); ok && strings.HasPrefix(repo+"/", prefix+"/") {
			return len(prefix)
		}
	}
	return 0
}

// prefixOf returns the one spelling of a repo-creds url, which may be a whole
// host; false where it names none and would be for all of them.
func prefixOf(address string) (string, bool) {
	const below = "/x" // with it, the prefix is spelled as a repository is
	u, err := url.Parse(freight.GitRepository(strings.TrimRight(strings.TrimSpace(address), "/") + below))
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, below), ".git")
	return u.String(), true
}
