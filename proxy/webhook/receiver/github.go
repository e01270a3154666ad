package receiver

import (
	"net/http"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/selection"
)

// readGitHub reads the events push, package and registry_package
// (docs.github.com, Webhook events and payloads). GitHub sends one of the latter
// two, or both, for an image.
func readGitHub(h http.Header, body []byte) ([]selection.Push, error) {
	body = document(h, body)
	switch h.Get("X-GitHub-Event") {
	case "push":
		var p gitPush
		if err := decode(body, &p); err != nil {
			return nil, err
		}
		return p.pushes()
	case "package", "registry_package":
		var p struct {
			Package  *gitHubPackage `json:"package"`
			Registry *gitHubPackage `json:"registry_package"`
		}
		if err := decode(body, &p); err != nil {
			return nil, err
		}
		for _, found := range []*gitHubPackage{p.Package, p.Registry} {
			if found != nil {
				return found.pushes()
			}
		}
		return nil, errPayload
	default:
		return nil, nil
	}
}

type gitHubPackage struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Type      string `json:"package_type"`
	Owner     struct {
		Login string `json:"login"`
	} `json:"owner"`
	Version struct {
		// URL is the image reference: ghcr.io/<owner>/<name>:<tag>.
		URL       string `json:"package_url"`
		Container struct {
			Tag struct {
				Name string `json:"name"`
			} `json:"tag"`
		} `json:"container_metadata"`
	} `json:"package_version"`
}

// gitHubRegistry is where GitHub's images are, unless a package says otherwise.
const gitHubRegistry = "ghcr.io"

func (p gitHubPackage) pushes() ([]selection.Push, error) {
	if !strings.EqualFold(p.Type, "container") && !strings.EqualFold(p.Type, "docker") {
		return nil, nil
	}
	repo, _, _ := freight.SplitImage(p.Version.URL)
	if repo == "" {
		owner := p.Namespace
		if owner == "" {
			owner = p.Owner.Login
		}
		if owner == "" || p.Name == "" {
			return nil, errPayload
		}
		repo = gitHubRegistry + "/" + owner + "/" + p.Name
	}
	// Owners may be written in capitals, and images may not.
	return []selection.Push{{RepoURLs: []string{strings.ToLower(repo)}, Tags: present(p.Version.Container.Tag.Name)}}, nil
}
