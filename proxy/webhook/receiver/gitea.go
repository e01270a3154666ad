package receiver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/extension/selection"
)

// readGitea reads push and package events of Gitea and Forgejo (docs.gitea.com,
// Webhooks; forgejo.org/docs, Webhooks).
func readGitea(h http.Header, body []byte) ([]selection.Push, error) {
	body = document(h, body)
	event := h.Get("X-Forgejo-Event")
	if event == "" {
		event = h.Get("X-Gitea-Event")
	}
	switch event {
	case "push":
		var p gitPush
		if err := decode(body, &p); err != nil {
			return nil, err
		}
		return p.pushes()
	case "package":
		var p struct {
			Package giteaPackage `json:"package"`
		}
		if err := decode(body, &p); err != nil {
			return nil, err
		}
		return p.Package.pushes()
	default:
		return nil, nil
	}
}

type giteaPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Type    string `json:"type"`
	// HTMLURL is that of the package's page, on the host of the registry.
	HTMLURL string `json:"html_url"`
	Owner   struct {
		Login    string `json:"login"`
		UserName string `json:"username"`
	} `json:"owner"`
}

func (p giteaPackage) pushes() ([]selection.Push, error) {
	if p.Type != "container" && p.Type != "helm" {
		return nil, nil
	}
	owner := p.Owner.Login
	if owner == "" {
		owner = p.Owner.UserName
	}
	page, err := url.Parse(p.HTMLURL)
	if err != nil || page.Host == "" || owner == "" || p.Name == "" {
		return nil, errPayload
	}
	if p.Type == "helm" {
		// Gitea may live below a path of its host; its pages begin with the owner's.
		root, _, _ := strings.Cut(page.Path, "/"+owner+"/")
		return []selection.Push{{RepoURLs: []string{page.Scheme + "://" + page.Host + root + "/api/packages/" + owner + "/helm"}}}, nil
	}
	push := selection.Push{RepoURLs: []string{strings.ToLower(page.Host + "/" + owner + "/" + p.Name)}}
	// The version of an image is its tag, or the digest of one without.
	if !strings.HasPrefix(p.Version, "sha256:") {
		push.Tags = present(p.Version)
	}
	return []selection.Push{push}, nil
}
