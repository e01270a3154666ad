package gitrepo

import (
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/loopback"
)

// address is where a repository is found.
type address struct {
	url  string
	name string // for people
	key  string // the same for all spellings of one repository
	// orTrust ends the remedy for a certificate that is not trusted, where there
	// is a second one.
	orTrust string
}

const httpsOnly = "this version of Waybill reads and writes Git over HTTPS only: use the repository's https:// URL"

// parseAddress takes a repository's URL. Nothing that could hold a password is
// repeated in its errors.
func parseAddress(repoURL string) (address, error) {
	if !strings.Contains(repoURL, "://") {
		return address{}, refused(nil, "the Git repository's address is not an https:// URL; %s", httpsOnly)
	}
	u, err := url.Parse(repoURL)
	if err != nil || u.Hostname() == "" {
		return address{}, refused(nil, "the Git repository's address is not a URL; %s", httpsOnly)
	}
	if u.User != nil {
		return address{}, refused(nil, "the URL of the Git repository on %s holds credentials: "+
			"take them out of the URL and put them into a repository Secret in Waybill's namespace", u.Host)
	}
	name := u.String()
	switch {
	case u.Scheme == "http" && !loopback.Is(u.Hostname()):
		return address{}, refused(nil, "the Git repository %s is reached over plain HTTP, which would show the password to the network; %s", name, httpsOnly)
	case u.Scheme != "http" && u.Scheme != "https":
		return address{}, refused(nil, "the Git repository %s is reached over %s; %s", name, u.Scheme, httpsOnly)
	case u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") == "":
		return address{}, refused(nil, "%s is not the URL of a Git repository: want https://host/path", name)
	}
	return address{url: strings.TrimRight(name, "/"), name: name, key: freight.GitRepository(repoURL)}, nil
}
