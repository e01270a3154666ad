package pipeline

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/freight"
)

// minInterval keeps a typing error from turning into a load test of a registry.
const minInterval = 10 * time.Second

func (d *Document) checkWarehouses(found *problems) {
	names := map[string]bool{}
	for i, w := range d.Warehouses {
		path := fmt.Sprintf("warehouses[%d]", i)
		checkName(path+".name", w.Name, names, found)
		if time.Duration(w.Interval) < minInterval {
			found.add(path+".interval", "%s is too short: at least %s", time.Duration(w.Interval), minInterval)
		}
		if p := w.FreightCreationPolicy; p != CreationAutomatic && p != CreationManual {
			found.add(path+".freightCreationPolicy", "%q is not known: allowed are %s and %s", p, CreationAutomatic, CreationManual)
		}
		if c := w.FreightCreationCriteria; c != nil {
			_, err := expression.CompileCriteria(c.Expression)
			checkExpression(path+".freightCreationCriteria.expression", err, found)
			if w.FreightCreationPolicy == CreationManual {
				found.add(path+".freightCreationCriteria", "is of no use where a person makes the freight: leave it out, or write freightCreationPolicy: %s", CreationAutomatic)
			}
		}
		if len(w.Subscriptions) == 0 {
			found.add(path+".subscriptions", "is empty: subscribe to at least one repository")
		}
		if len(w.Subscriptions) > maxSubscriptions {
			found.add(path+".subscriptions", "are more than %d: split the warehouse", maxSubscriptions)
		}
		checkSubscriptions(path+".subscriptions", w.Subscriptions, found)
	}
}

// maxSubscriptions bounds what one piece of freight, and so a waybill, holds.
const maxSubscriptions = 50

// subscribed is what must not be subscribed to twice under one name.
type subscribed struct{ kind, repository, name string }

func checkSubscriptions(path string, all []Subscription, found *problems) {
	names, taken := map[string]bool{}, map[subscribed]bool{}
	for i, s := range all {
		at := fmt.Sprintf("%s[%d]", path, i)
		if s.Name != "" {
			checkName(at+".name", s.Name, names, found)
		}
		var what subscribed
		var field string
		switch {
		case (s.Image != nil) && s.Git == nil && s.Chart == nil:
			field = at + ".image"
			what = subscribed{field[len(at):], freight.ImageRepository(s.Image.RepoURL), s.Name}
			checkImage(field, *s.Image, found)
		case s.Git != nil && s.Image == nil && s.Chart == nil:
			field = at + ".git"
			what = subscribed{field[len(at):], freight.GitRepository(s.Git.RepoURL), s.Name}
			checkGit(field, *s.Git, found)
		case s.Chart != nil && s.Image == nil && s.Git == nil:
			field = at + ".chart"
			what = subscribed{field[len(at):], freight.ChartRepository(s.Chart.RepoURL) + " " + s.Chart.Name, s.Name}
			checkChart(field, *s.Chart, found)
		default:
			found.add(at, "must name one thing to subscribe to: write image, git or chart")
			continue
		}
		if taken[what] {
			found.add(field+".repoURL", "%s is subscribed to twice in this warehouse: give each of the subscriptions a name of its own", strings.TrimSpace(what.repository))
		}
		taken[what] = true
	}
}

func checkImage(path string, s ImageSubscription, found *problems) {
	switch {
	case s.RepoURL == "":
		found.add(path+".repoURL", "is missing: name the repository, for example registry.example.com/shop")
	case !bareRepository(s.RepoURL):
		found.add(path+".repoURL", "%q is not a repository: write host/path, without scheme, tag or digest", s.RepoURL)
	}
	strategies := []string{StrategySemVer, StrategyLexical, StrategyNewestBuild, StrategyDigest}
	checkStrategy(path+".imageSelectionStrategy", s.ImageSelectionStrategy, strategies, found)
	constraint := path + ".constraint"
	switch strategy := s.ImageSelectionStrategy; {
	case strategy == StrategySemVer:
		checkRange(constraint, s.Constraint, found)
	case strategy == StrategyDigest && !tagPattern.MatchString(s.Constraint):
		found.add(constraint, "%q is not a tag: name the one whose digest is followed, for example latest", s.Constraint)
	case strategy != StrategyDigest && s.Constraint != "":
		found.add(constraint, "means nothing with %s: leave it out, or write imageSelectionStrategy: %s", strategy, StrategySemVer)
	}
	if s.StrictSemvers != nil {
		checkOnly(path+".strictSemvers", s.ImageSelectionStrategy, found, StrategySemVer)
	}
	if len(s.AllowTagsRegexes)+len(s.IgnoreTagsRegexes) > 0 && s.ImageSelectionStrategy == StrategyDigest {
		found.add(path, "allowTagsRegexes and ignoreTagsRegexes mean nothing with %s, which follows one tag: leave them out", StrategyDigest)
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

var (
	// tagPattern is the grammar of the OCI distribution specification.
	tagPattern      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)
	secretName      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

func checkGit(path string, s GitSubscription, found *problems) {
	checkURL(path+".repoURL", s.RepoURL, "https://git.example.com/shop.git", found, "https", "http")
	strategies := []string{StrategyNewestFromBranch, StrategySemVer, StrategyLexical, StrategyNewestTag}
	checkStrategy(path+".commitSelectionStrategy", s.CommitSelectionStrategy, strategies, found)
	strategy := s.CommitSelectionStrategy
	ofTags := []string{StrategySemVer, StrategyLexical, StrategyNewestTag}
	if s.Branch != "" {
		checkOnly(path+".branch", strategy, found, StrategyNewestFromBranch)
		if !branchName(s.Branch) {
			found.add(path+".branch", "%q is not the name of a Git branch", s.Branch)
		}
	}
	if !s.Since.IsZero() {
		checkOnly(path+".since", strategy, found, StrategyNewestFromBranch)
	}
	if s.SemverConstraint != "" {
		checkOnly(path+".semverConstraint", strategy, found, StrategySemVer)
		checkRange(path+".semverConstraint", s.SemverConstraint, found)
	}
	if s.StrictSemvers != nil {
		checkOnly(path+".strictSemvers", strategy, found, StrategySemVer)
	}
	if len(s.AllowTagsRegexes) > 0 {
		checkOnly(path+".allowTagsRegexes", strategy, found, ofTags...)
	}
	if len(s.IgnoreTagsRegexes) > 0 {
		checkOnly(path+".ignoreTagsRegexes", strategy, found, ofTags...)
	}
	checkRegexes(path+".allowTagsRegexes", s.AllowTagsRegexes, found)
	checkRegexes(path+".ignoreTagsRegexes", s.IgnoreTagsRegexes, found)
	checkPaths(path+".includePaths", s.IncludePaths, found)
	checkPaths(path+".excludePaths", s.ExcludePaths, found)
	if s.ExpressionFilter != "" {
		_, err := expression.CompileTag(s.ExpressionFilter)
		if strategy == StrategyNewestFromBranch {
			_, err = expression.CompileCommit(s.ExpressionFilter)
		}
		checkExpression(path+".expressionFilter", err, found)
	}
	checkLimit(path+".discoveryLimit", s.DiscoveryLimit, found)
}

func checkChart(path string, s ChartSubscription, found *problems) {
	checkURL(path+".repoURL", s.RepoURL, "https://charts.example.com or oci://registry.example.com/charts/db", found, "https", "http", "oci")
	switch oci := strings.HasPrefix(s.RepoURL, "oci://"); {
	case oci && s.Name != "":
		found.add(path+".name", "means nothing in a registry: write it as the end of repoURL, oci://host/path/%s", s.Name)
	case !oci && !chartName.MatchString(s.Name):
		found.add(path+".name", "%q is not the name of a chart: name the one in the repository", s.Name)
	}
	checkRange(path+".semverConstraint", s.SemverConstraint, found)
	checkLimit(path+".discoveryLimit", s.DiscoveryLimit, found)
}

// chartName is what Helm accepts, as a part of a path.
var chartName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)

// checkURL wants a URL of one of the schemes, without credentials, which would be
// stored and shown.
func checkURL(path, repoURL, example string, found *problems, schemes ...string) {
	u, err := url.Parse(repoURL)
	switch {
	case repoURL == "":
		found.add(path, "is missing: write for example %s", example)
	case err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) || u.RawQuery != "" || u.Fragment != "":
		found.add(path, "is not the URL of a repository: write for example %s", example)
	case u.User != nil:
		found.add(path, "holds a user or a password: leave them out, and keep them in a Secret")
	}
}

func checkStrategy(path, strategy string, known []string, found *problems) {
	if !slices.Contains(known, strategy) {
		found.add(path, "%q is not known: allowed are %s", strategy, strings.Join(known, ", "))
	}
}

// checkOnly refuses a field that the strategy does not use: it would look as if it
// did something.
func checkOnly(path, strategy string, found *problems, uses ...string) {
	if !slices.Contains(uses, strategy) {
		found.add(path, "means nothing with %s, only with %s: leave it out", strategy, strings.Join(uses, ", "))
	}
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

// The prefixes of paths that are patterns.
const (
	PathGlob   = "glob:"
	PathRegex  = "regex:"
	PathRegexp = "regexp:"
)

func checkPaths(path string, selectors []string, found *problems) {
	for i, s := range selectors {
		at := fmt.Sprintf("%s[%d]", path, i)
		regex, isRegex := strings.CutPrefix(s, PathRegex)
		if !isRegex {
			regex, isRegex = strings.CutPrefix(s, PathRegexp)
		}
		glob, isGlob := strings.CutPrefix(s, PathGlob)
		switch {
		case isRegex:
			checkRegexes(path, []string{regex}, found)
		case isGlob && !doublestar.ValidatePattern(glob):
			found.add(at, "%q is not a glob: write for example %scharts/*/values.yaml", glob, PathGlob)
		case !isGlob && (strings.Trim(s, "/") == "" || strings.Contains("/"+s+"/", "/../")):
			found.add(at, "%q is not a path in the repository: write for example deploy/ or %sdeploy/**", s, PathGlob)
		}
	}
}

// bareRepository tells whether a URL names a repository and nothing more.
func bareRepository(repoURL string) bool {
	_, tag, _ := freight.SplitImage(repoURL)
	return tag == "" && !strings.ContainsAny(repoURL, "@ \t\n") && !strings.Contains(repoURL, "://")
}

func checkRegexes(path string, patterns []string, found *problems) {
	for i, p := range patterns {
		if _, err := regexp.Compile(p); err != nil {
			found.add(fmt.Sprintf("%s[%d]", path, i), "%q is not a regular expression (RE2): %s", p, err)
		}
	}
}
