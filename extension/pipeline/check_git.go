package pipeline

import (
	"regexp"
	"strings"

	"github.com/waybill-cd/waybill/extension/expression"
)

func checkGit(path string, s GitSubscription, found *problems) {
	checkURL(path+".repoURL", s.RepoURL, "https://git.example.com/shop.git", found, "https", "http")
	if checkStrategy(path+".commitSelectionStrategy", s.CommitSelectionStrategy, gitStrategies, found) {
		checkGitStrategy(path, s, found)
	}
	if s.Branch != "" && !gitBranch(s.Branch) {
		found.add(path+".branch", "%q is not the name of a Git branch", s.Branch)
	}
	checkRange(path+".semverConstraint", s.SemverConstraint, found)
	checkRegexes(path+".allowTagsRegexes", s.AllowTagsRegexes, found)
	checkRegexes(path+".ignoreTagsRegexes", s.IgnoreTagsRegexes, found)
	checkPaths(path+".includePaths", s.IncludePaths, found)
	checkPaths(path+".excludePaths", s.ExcludePaths, found)
	checkLimit(path+".discoveryLimit", s.DiscoveryLimit, found)
}

// checkGitStrategy checks what means one thing with one strategy, and nothing
// with another.
func checkGitStrategy(path string, s GitSubscription, found *problems) {
	strategy := s.CommitSelectionStrategy
	checkOnly(path+".branch", s.Branch != "", strategy, found, StrategyNewestFromBranch)
	checkOnly(path+".since", !s.Since.IsZero(), strategy, found, StrategyNewestFromBranch)
	checkOnly(path+".semverConstraint", s.SemverConstraint != "", strategy, found, StrategySemVer)
	checkOnly(path+".strictSemvers", s.StrictSemvers != nil, strategy, found, StrategySemVer)
	ofTags := []string{StrategySemVer, StrategyLexical, StrategyNewestTag}
	checkOnly(path+".allowTagsRegexes", len(s.AllowTagsRegexes) > 0, strategy, found, ofTags...)
	checkOnly(path+".ignoreTagsRegexes", len(s.IgnoreTagsRegexes) > 0, strategy, found, ofTags...)
	if s.ExpressionFilter == "" {
		return
	}
	_, err := expression.CompileTag(s.ExpressionFilter)
	if strategy == StrategyNewestFromBranch {
		_, err = expression.CompileCommit(s.ExpressionFilter)
	}
	checkExpression(path+".expressionFilter", err, found)
}

// notInBranch is what Git takes in no name of a branch (git-check-ref-format).
var notInBranch = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock/`)

// gitBranch tells whether Git may have a branch of that name. A branch that is
// only read may have any; [branchName] is stricter with those that are written.
func gitBranch(s string) bool {
	return len(s) <= 200 && s != "HEAD" && s != "@" && !notInBranch.MatchString(s) && !strings.HasPrefix(s, "-") &&
		strings.Trim(s, "/") == s && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ".lock")
}
