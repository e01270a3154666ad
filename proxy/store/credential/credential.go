// Package credential tells which of several credentials is for a Git or a chart
// repository.
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
	// Kind is the value of its type: [Git], which is the default, or [Helm].
	Kind string
	// OCI tells that a Secret for charts is for a registry: its url, which goes
	// without a scheme, is that of the folder that the charts are in.
	OCI bool
	// Complete tells that it holds a user or a password.
	Complete bool
}

// The kinds of repositories that a Secret is for.
const (
	Git  = "git"
	Helm = "helm"
)

// Nearness tells how closely a Secret fits a Git repository, as
// freight.GitRepository spells it: the greater the more, 0 for not at all. As in
// Argo CD, a repository's own Secret that holds neither user nor password is
// passed over.
func Nearness(s Secret, repo string) int {
	if s.Kind != "" && s.Kind != Git {
		return 0
	}
	return s.nearness(freight.GitRepository, ".git", repo)
}

// NearnessOfChart is Nearness for a chart repository, as freight.ChartRepository
// spells it. The URL of one in a registry names the chart, and its Secret may be
// that of the folder above, which is the repository to Argo CD.
func NearnessOfChart(s Secret, repo string) int {
	oci := strings.HasPrefix(repo, schemeOCI)
	if s.Kind != Helm || oci != (s.OCI || strings.HasPrefix(s.URL, schemeOCI)) {
		return 0
	}
	if oci && !strings.HasPrefix(s.URL, schemeOCI) {
		s.URL = schemeOCI + strings.TrimSpace(s.URL)
	}
	near := s.nearness(freight.ChartRepository, "", repo)
	if near == 0 && oci && s.Type == typeRepository && s.Complete && freight.ChartRepository(s.URL) == repo[:strings.LastIndex(repo, "/")] {
		return math.MaxInt - 1
	}
	return near
}

const schemeOCI = "oci://"

func (s Secret) nearness(spelled func(string) string, suffix, repo string) int {
	switch s.Type {
	case typeRepository:
		if spelled(s.URL) == repo && s.Complete {
			return math.MaxInt
		}
	case typeRepoCreds:
		// A prefix ends where a part of the path does, so that the credentials
		// of /team never go to /team-b.
		if prefix, ok := prefixOf(s.URL, spelled, suffix); ok && strings.HasPrefix(repo+"/", prefix+"/") {
			return len(prefix)
		}
	}
	return 0
}

// prefixOf returns the one spelling of a repo-creds url, which may be a whole
// host; false where it names none and would be for all of them. The suffix is what
// a repository's spelling leaves out.
func prefixOf(address string, spelled func(string) string, suffix string) (string, bool) {
	// With it, the prefix is spelled as a repository is; one of two parts, because
	// Docker Hub has another folder for those of one.
	const below = "/x/x"
	u, err := url.Parse(spelled(strings.TrimRight(strings.TrimSpace(address), "/") + below))
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	u.Path = strings.TrimSuffix(u.Path, below)
	if suffix != "" {
		u.Path = strings.TrimSuffix(u.Path, suffix)
	}
	return u.String(), true
}
