package credential

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
)

// ErrNoDockerConfig tells that something is no Docker configuration.
var ErrNoDockerConfig = errors.New("no Docker configuration")

// Docker returns what a Docker configuration (the value .dockerconfigjson of a
// Secret) holds for a repository: of its host and path, the entry with the longest
// path that the repository's begins with; false where there is none. As Docker
// does, it takes the entry https://index.docker.io/v1/ for Docker Hub.
func Docker(configuration []byte, host, path string) (_ authn.AuthConfig, found bool, err error) {
	var parsed struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if err := json.Unmarshal(configuration, &parsed); err != nil || parsed.Auths == nil {
		return authn.AuthConfig{}, false, ErrNoDockerConfig // the cause may repeat what is secret
	}
	var best authn.AuthConfig
	var spelling string
	closest := -1
	for key, entry := range parsed.Auths {
		entryHost, prefix := splitEntry(key)
		if entryHost != canonicalHost(host) || prefix != "" && !strings.HasPrefix(path+"/", prefix+"/") {
			continue
		}
		// Of two spellings of one place, the first in byte order counts.
		if near := len(prefix); near > closest || near == closest && key < spelling {
			best, spelling, closest = entry, key, near
		}
	}
	return best, closest >= 0 && best != authn.AuthConfig{}, nil
}

// splitEntry splits a key of a Docker configuration: host, host/path, or either
// as a URL, with the version of the API at the end.
func splitEntry(key string) (host, path string) {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, path, _ = strings.Cut(key, "/")
	path = strings.Trim(path, "/")
	if path == "v1" || path == "v2" {
		path = ""
	}
	return canonicalHost(host), path
}

// canonicalHost returns the one spelling of a registry.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	if host == "docker.io" || host == "registry-1.docker.io" {
		return "index.docker.io"
	}
	return host
}
