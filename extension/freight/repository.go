package freight

import (
	"net/url"
	"strings"
	"unicode"
)

// ImageRepository returns the one spelling of an image repository that pins,
// IDs and webhooks compare: registry host in lower case, Docker Hub's implied
// host and "library/" written out, no scheme, no trailing slash. The rule for
// what is a host is the one of the distribution reference grammar: the first
// part, if it holds a dot or a colon or is "localhost".
func ImageRepository(repo string) string {
	if i := strings.LastIndex(repo, "://"); i >= 0 {
		repo = repo[i+len("://"):]
	}
	repo = trim(repo)
	if repo == "" {
		return ""
	}
	host, path, found := strings.Cut(repo, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, path = "docker.io", repo
	}
	host = strings.ToLower(host)
	switch host {
	case "index.docker.io", "registry-1.docker.io":
		host = "docker.io"
	}
	if host == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return host + "/" + path
}

// SplitImage takes an image reference apart: repository as written, tag and
// digest, each empty where the reference has none.
func SplitImage(reference string) (repo, tag, digest string) {
	repo, digest, _ = strings.Cut(reference, "@")
	// A colon before the last slash belongs to the port of the host.
	if i := strings.LastIndex(repo, ":"); i > strings.LastIndex(repo, "/") {
		repo, tag = repo[:i], repo[i+1:]
	}
	return repo, tag, digest
}

// GitRepository returns the one spelling of a Git repository's URL that is
// compared: host in lower case, no credentials, no default port, no ".git", no
// trailing slash; an scp-like address becomes the ssh URL that it means.
func GitRepository(repo string) string {
	repo = trimGit(repo)
	address := repo
	host, path, scp := strings.Cut(repo, ":")
	if scp && !strings.Contains(host, "/") && !strings.Contains(repo, "://") {
		address = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || trimGit(u.Path) == "" {
		return repo
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port != "" && port == defaultPorts[u.Scheme] {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Path = trimGit(u.Path)
	u.RawPath = ""
	return u.String()
}

var defaultPorts = map[string]string{"https": "443", "http": "80", "ssh": "22"}

// trimGit takes off all that hosts ignore at the end of a repository's path, so
// that there is nothing left for a second time.
func trimGit(path string) string {
	for {
		trimmed := strings.TrimSuffix(trim(path), ".git")
		if trimmed == path {
			return path
		}
		path = trimmed
	}
}

// trim takes off space around a URL and slashes at its end.
func trim(s string) string {
	return strings.TrimRightFunc(strings.TrimSpace(s), func(r rune) bool { return r == '/' || unicode.IsSpace(r) })
}

// ChartRepository returns the one spelling of a chart repository's URL that is
// compared: as an image repository for OCI, else host in lower case and no
// trailing slash.
func ChartRepository(repo string) string {
	repo = strings.TrimSpace(repo)
	if scheme, rest, found := strings.Cut(repo, "://"); found && strings.EqualFold(scheme, "oci") {
		return "oci://" + ImageRepository(rest)
	}
	repo = trim(repo)
	u, err := url.Parse(repo)
	if err != nil || u.Hostname() == "" {
		return repo
	}
	u.User, u.Fragment = nil, ""
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = trim(u.Path), ""
	return trim(u.String())
}
