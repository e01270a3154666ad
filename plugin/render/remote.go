package render

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// isRemoteFile tells whether kustomize would fetch a file over HTTP. It is
// kustomize's own rule (api/internal/loader, IsRemoteFile).
func isRemoteFile(path string) bool {
	u, err := url.Parse(path)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

var (
	schemePattern = regexp.MustCompile(`(?i)^(ssh|https?|file)://`)
	userPattern   = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)
	githubPattern = regexp.MustCompile(`(?i)^github\.com[/:]`)
)

// isRemoteRoot tells whether kustomize would clone a base or component with
// Git. It follows kustomize's parser (api/internal/git, NewRepoSpecFromURL),
// and where that is intricate it says yes to a little more.
func isRemoteRoot(path string) bool {
	if filepath.IsAbs(path) {
		return false
	}
	path, _, _ = strings.Cut(path, "?")
	if prefix := "git::"; len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix) {
		path = path[len(prefix):]
	}
	if schemePattern.MatchString(path) {
		return true
	}
	user := userPattern.FindString(path)
	path = path[len(user):]
	if user == "" && !githubPattern.MatchString(path) {
		return false
	}
	separator := strings.IndexAny(path, "/:")
	if separator < 0 {
		return false
	}
	// An organisation and a repository, or a mark that tells where the
	// repository's own path ends.
	repository := path[separator+1:]
	return strings.Contains(repository, "/") || strings.Contains(repository, ".git")
}

// withoutSecrets returns an address as it may be shown: no user, no password,
// no query.
func withoutSecrets(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	authority, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		authority = authority[i+1:]
	}
	return scheme + "://" + authority + "/" + path
}
