package pipeline

import (
	"regexp"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
)

func checkImage(path string, s ImageSubscription, found *problems) {
	switch {
	case s.RepoURL == "":
		found.add(path+".repoURL", "is missing: name the repository, for example registry.example.com/shop")
	case !bareRepository(s.RepoURL):
		found.add(path+".repoURL", "%q is not a repository: write host/path in lower case, without scheme, tag or digest", s.RepoURL)
	}
	if checkStrategy(path+".imageSelectionStrategy", s.ImageSelectionStrategy, imageStrategies, found) {
		checkImageStrategy(path, s, found)
	}
	checkRegexes(path+".allowTagsRegexes", s.AllowTagsRegexes, found)
	checkRegexes(path+".ignoreTagsRegexes", s.IgnoreTagsRegexes, found)
	if s.Platform != "" && !platformPattern.MatchString(s.Platform) {
		found.add(path+".platform", "%q is not a platform: write os/arch or os/arch/variant, for example linux/amd64", s.Platform)
	}
	checkLimit(path+".discoveryLimit", s.DiscoveryLimit, found)
	if s.Credentials != "" && !secretName.MatchString(s.Credentials) {
		found.add(path+".credentials", "%q is not the name of a Secret", s.Credentials)
	}
}

// checkImageStrategy checks what means one thing with one strategy, and nothing
// with another.
func checkImageStrategy(path string, s ImageSubscription, found *problems) {
	strategy, constraint := s.ImageSelectionStrategy, path+".constraint"
	checkOnly(constraint, s.Constraint != "", strategy, found, StrategySemVer, StrategyDigest)
	switch {
	case strategy == StrategySemVer:
		checkRange(constraint, s.Constraint, found)
	case strategy == StrategyDigest && s.Constraint == "":
		found.add(constraint, "is missing: name the tag whose digest is followed, for example latest")
	case strategy == StrategyDigest && !tagPattern.MatchString(s.Constraint):
		found.add(constraint, "%q is not a tag: name the one whose digest is followed, for example latest", s.Constraint)
	}
	checkOnly(path+".strictSemvers", s.StrictSemvers != nil, strategy, found, StrategySemVer)
	ofLists := []string{StrategySemVer, StrategyLexical, StrategyNewestBuild}
	checkOnly(path+".allowTagsRegexes", len(s.AllowTagsRegexes) > 0, strategy, found, ofLists...)
	checkOnly(path+".ignoreTagsRegexes", len(s.IgnoreTagsRegexes) > 0, strategy, found, ofLists...)
}

var (
	// tagPattern is the grammar of the OCI distribution specification.
	tagPattern      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)
	// secretName is a DNS subdomain (RFC 1123), as Kubernetes has it.
	secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

// bareRepository tells whether a URL names a repository and nothing more.
func bareRepository(repoURL string) bool {
	_, tag, _ := freight.SplitImage(repoURL)
	_, path, _ := strings.Cut(freight.ImageRepository(repoURL), "/")
	return tag == "" && !strings.ContainsAny(repoURL, "@ \t\n") && !strings.Contains(repoURL, "://") && IsRepositoryPath(path)
}

// repositoryPath is the grammar of a repository's name in the OCI distribution
// specification.
var repositoryPath = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// IsRepositoryPath tells whether a text may be the name of a repository in a
// registry, what follows the host: lower-case words, joined by slashes.
func IsRepositoryPath(path string) bool { return repositoryPath.MatchString(path) }
