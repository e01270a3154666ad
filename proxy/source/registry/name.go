package registry

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// pathPattern is the grammar of a repository's name in the OCI distribution
// specification. What go-containerregistry takes is wider, and would let a name
// climb up in the registry's URL.
var pathPattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

const maxName = 512 // bytes

// parse reads the repository of a subscription. A name without a host is one of
// Docker Hub.
func parse(repoURL, noun string) (name.Repository, error) {
	wrong := func(cause error) (name.Repository, error) {
		return name.Repository{}, Fail(ErrInvalid, cause, "%q is not a repository of %ss: "+
			"write host/path without scheme, tag and digest, for example registry.example.com/shop", OneLine(repoURL), noun)
	}
	if len(repoURL) > maxName || strings.Contains(repoURL, "://") || strings.ContainsAny(repoURL, "@?#%\\") {
		return wrong(nil)
	}
	repo, err := name.NewRepository(repoURL)
	if err != nil {
		return wrong(err)
	}
	// The library's check of a host is wider than what a URL takes, too.
	u, err := url.Parse("https://" + repo.RegistryStr() + "/")
	if err != nil || u.Hostname() == "" || u.Host != repo.RegistryStr() || !pathPattern.MatchString(repo.RepositoryStr()) {
		return wrong(err)
	}
	return repo, nil
}
