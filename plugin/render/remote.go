package render

import (
	"net/url"
	"path/filepath"
	"strings"
)

// isRemoteFile tells whether kustomize would fetch a file over HTTP. It is
// kustomize's own rule (api/internal/loader, IsRemoteFile).
func isRemoteFile(path string) bool {
	u, err := url.Parse(path)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// isRemoteRoot tells whether kustomize would clone a base or component with
// Git. It follows kustomize's parser (api/internal/git, NewRepoSpecFromURL),
// and where that is intricate it says yes to a little more.
func isRemoteRoot(path string) bool {
	if filepath.IsAbs(path) {
		return false
	}
	path, _, _ = strings.Cut(strings.ToLower(path), "?")
	path = strings.TrimPrefix(path, "git::")
	for _, scheme := range []string{"ssh://", "http://", "https://", "file://"} {
		if strings.HasPrefix(path, scheme) {
			return true
		}
	}
	if user, rest, found := strings.Cut(path, "@"); found && isUser(user) {
		path = rest
	} else if !strings.HasPrefix(path, "github.com/") && !strings.HasPrefix(path, "github.com:") {
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

// isUser tells whether a text in lower case is a user's name: letters, and after
// the first one digits and hyphens too.
func isUser(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return strings.Trim(s, letters+"0123456789-") == "" && strings.IndexAny(s, letters) == 0
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
