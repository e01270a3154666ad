package registry

import (
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/sentence"
)

const maxName = 512 // bytes

// parse reads the repository of a subscription. A name without a host is one of
// Docker Hub.
func parse(repoURL, noun string) (name.Repository, error) {
	wrong := func(cause error) (name.Repository, error) {
		return name.Repository{}, sentence.Fail(ErrInvalid, cause, "%q is not a repository of %ss: "+
			"write host/path without scheme, tag and digest, for example registry.example.com/shop", sentence.OneLine(repoURL), noun)
	}
	if len(repoURL) > maxName || strings.Contains(repoURL, "://") || strings.ContainsAny(repoURL, "@?#%\\") {
		return wrong(nil)
	}
	repo, err := name.NewRepository(repoURL)
	if err != nil {
		return wrong(err)
	}
	// The library's check of a host is wider than what a URL takes, and that of a
	// path would let a name climb up in the registry's URL.
	u, err := url.Parse("https://" + repo.RegistryStr() + "/")
	if err != nil || u.Hostname() == "" || u.Host != repo.RegistryStr() || !pipeline.IsRepositoryPath(repo.RepositoryStr()) {
		return wrong(err)
	}
	return repo, nil
}
