package pipeline

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pattern"
)

// repository is what several subscriptions of a warehouse may have in common.
type repository struct{ kind, url, chart string }

func (r repository) String() string {
	if r.chart == "" {
		return r.url
	}
	return r.url + "/" + r.chart
}

// repository returns what is subscribed to, in its one spelling; ok is false
// unless that is exactly one thing.
func (s Subscription) repository() (r repository, ok bool) {
	kinds := 0
	if s.Image != nil {
		r, kinds = repository{kind: freight.KindImage, url: freight.ImageRepository(s.Image.RepoURL)}, kinds+1
	}
	if s.Git != nil {
		r, kinds = repository{kind: freight.KindCommit, url: freight.GitRepository(s.Git.RepoURL)}, kinds+1
	}
	if s.Chart != nil {
		r, kinds = repository{kind: freight.KindChart, url: freight.ChartRepository(s.Chart.RepoURL), chart: s.Chart.Name}, kinds+1
	}
	return r, kinds == 1
}

func checkSubscriptions(path string, all []Subscription, found *problems) {
	several := map[repository]int{}
	for _, s := range all {
		if r, ok := s.repository(); ok {
			several[r]++
		}
	}
	names := map[string]bool{}
	for i, s := range all {
		at := fmt.Sprintf("%s[%d]", path, i)
		r, ok := s.repository()
		switch {
		case s.Name != "":
			checkName(at+".name", s.Name, names, found)
		case ok && r.url != "" && several[r] > 1:
			found.add(at+".name", "is missing: the warehouse subscribes to %s %d times, and only a name tells one from the other", r, several[r])
		}
		switch {
		case !ok:
			found.add(at, "must subscribe to one thing: write either image, git or chart")
		case s.Image != nil:
			checkImage(at+".image", *s.Image, found)
		case s.Git != nil:
			checkGit(at+".git", *s.Git, found)
		case s.Chart != nil:
			checkChart(at+".chart", *s.Chart, found)
		}
	}
}

// checkURL wants a URL of one of the schemes, without credentials, which would be
// stored and shown. Nothing that could hold a password is repeated. It tells
// whether the URL is good.
func checkURL(path, repoURL, example string, found *problems, schemes ...string) bool {
	u, err := url.Parse(repoURL)
	switch {
	case repoURL == "":
		found.add(path, "is missing: write for example %s", example)
	case err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(repoURL, " \t\n"):
		found.add(path, "is not the URL of a repository that can be read: write for example %s", example)
	case u.User != nil:
		found.add(path, "holds a user or a password: take them out, and put them into a repository Secret")
	default:
		return true
	}
	return false
}

// checkStrategy tells whether the strategy is known: if not, what else depends on
// it is not told.
func checkStrategy(path, strategy string, known []string, found *problems) bool {
	if !slices.Contains(known, strategy) {
		found.add(path, "%q is not known: allowed are %s", strategy, either(known, "and"))
		return false
	}
	return true
}

// checkOnly refuses a field that is given and that the strategy does not use: it
// would look as if it did something.
func checkOnly(path string, given bool, strategy string, found *problems, uses ...string) {
	if given && !slices.Contains(uses, strategy) {
		found.add(path, "means nothing with %s: leave it out, or take the strategy %s", strategy, either(uses, "or"))
	}
}

// either lists alternatives: a, b or c.
func either(all []string, conjunction string) string {
	last := len(all) - 1
	if last < 1 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:last], ", ") + " " + conjunction + " " + all[last]
}

func checkRange(path, constraint string, found *problems) {
	if constraint == "" {
		return
	}
	if _, err := semver.NewConstraint(constraint); err != nil {
		found.add(path, "%q is not a version range: write for example ^1.2.0 or >=1.2.0 <2.0.0", constraint)
	}
}

func checkLimit(path string, limit int, found *problems) {
	if limit < 1 || limit > MaxDiscoveryLimit {
		found.add(path, "must be 1 to %d", MaxDiscoveryLimit)
	}
}

func checkExpression(path string, err error, found *problems) {
	if err != nil {
		found.add(path, "%s", err)
	}
}

// maxPatterns bounds a list of what is tried for each tag, or for each path that a
// commit changes.
const maxPatterns = 100

// fewPatterns tells whether a list is no longer than is taken: of a longer one, no
// entry is looked at.
func fewPatterns(path string, patterns []string, found *problems) bool {
	if len(patterns) > maxPatterns {
		found.add(path, "holds %d, and %d are allowed: join several into one", len(patterns), maxPatterns)
		return false
	}
	return true
}

func checkRegexes(path string, patterns []string, found *problems) {
	if !fewPatterns(path, patterns, found) {
		return
	}
	for i, p := range patterns {
		checkRegex(fmt.Sprintf("%s[%d]", path, i), p, found)
	}
}

func checkRegex(path, text string, found *problems) {
	if _, err := pattern.Compile(text); err != nil {
		found.add(path, "%s", err)
	}
}
