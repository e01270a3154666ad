package selection

import (
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// Push is what a Git host or a registry tells about a push. What it does not tell
// is empty, and then the push may be any.
type Push struct {
	// RepoURLs are the addresses of the one repository that was pushed to.
	RepoURLs []string
	// Branch is that of a push to Git, without refs/heads/; DefaultBranch is the
	// repository's own.
	Branch        string
	DefaultBranch string
	// Tags are all those that were pushed, or deleted; of Git without refs/tags/.
	Tags []string
	// Paths are all files that the push changed in the branch. They are nil unless
	// they are surely complete, and the branch only grew by them.
	Paths []string
}

// Concerns tells whether a push may change what a subscription selects. It is
// false only where that is certain: a look too many costs a request or two, and
// one too few is a version that nobody sees until the next interval.
//
// Image and chart repositories are the same as their pins are, see
// [freight.ImageRepository] and [freight.ChartRepository]; Git repositories are
// where host and path are, see [SameGitRepository].
func (p Push) Concerns(s pipeline.Subscription) bool {
	switch {
	case s.Git != nil:
		same := func(repoURL string) bool { return SameGitRepository(repoURL, s.Git.RepoURL) }
		return slices.ContainsFunc(p.RepoURLs, same) && p.concernsGit(*s.Git)
	case s.Chart != nil:
		return slices.ContainsFunc(p.RepoURLs, func(repoURL string) bool { return sameChart(repoURL, s.Chart.RepoURL) })
	case s.Image != nil:
		wanted := freight.ImageRepository(s.Image.RepoURL)
		same := func(repoURL string) bool { return freight.ImageRepository(repoURL) == wanted }
		return slices.ContainsFunc(p.RepoURLs, same) && p.mayQualify(ForImage(*s.Image))
	default:
		return false
	}
}

// SameGitRepository tells whether two addresses are clone URLs of one Git
// repository, for a push to it: scheme, user, port, a ".git" at the end and the
// case of letters make no difference. Git hosts differ in which of these matter,
// and a push is no more than a reason to look.
func SameGitRepository(a, b string) bool {
	a = gitHostAndPath(a)
	return a != "" && a == gitHostAndPath(b)
}

func gitHostAndPath(repo string) string {
	repo = freight.GitRepository(repo)
	if !strings.Contains(repo, "://") {
		repo = "https://" + repo
	}
	u, err := url.Parse(repo)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return strings.ToLower(u.Hostname() + "/" + strings.Trim(u.Path, "/"))
}

// sameChart tells whether an address is that of a chart repository. A registry
// tells of a chart as of an image, without oci://.
func sameChart(repoURL, wanted string) bool {
	wanted = freight.ChartRepository(wanted)
	if strings.HasPrefix(wanted, "oci://") {
		return "oci://"+freight.ImageRepository(repoURL) == wanted
	}
	return freight.ChartRepository(repoURL) == wanted
}

func (p Push) concernsGit(s pipeline.GitSubscription) bool {
	toBranch, toTag := p.Branch != "", len(p.Tags) > 0
	if s.CommitSelectionStrategy != pipeline.StrategyNewestFromBranch && s.CommitSelectionStrategy != "" {
		return (toTag || !toBranch) && p.mayQualify(ForTags(s))
	}
	if !toBranch {
		return !toTag
	}
	followed := s.Branch
	if followed == "" {
		followed = p.DefaultBranch
	}
	return (followed == "" || followed == p.Branch) && p.mayChange(s)
}

// mayQualify tells whether a rule takes any of the tags.
func (p Push) mayQualify(r Rule, err error) bool {
	return err != nil || len(p.Tags) == 0 || len(r.Select(p.Tags)) > 0
}

// mayChange tells whether any of the paths counts.
func (p Push) mayChange(s pipeline.GitSubscription) bool {
	paths, err := ForPaths(s.IncludePaths, s.ExcludePaths)
	return err != nil || len(p.Paths) == 0 || slices.ContainsFunc(p.Paths, paths.Takes)
}
