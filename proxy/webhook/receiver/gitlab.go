package receiver

import (
	"net/http"

	"github.com/waybill-cd/waybill/extension/selection"
)

// readGitLab reads push and tag_push events, of projects and of the system
// (docs.gitlab.com, Webhook events). GitLab does not tell whether a push was
// forced, so that the files that it lists are never surely all.
func readGitLab(_ http.Header, body []byte) ([]selection.Push, error) {
	var p struct {
		// A system hook has the event's name alone.
		Kind    string `json:"object_kind"`
		Name    string `json:"event_name"`
		Ref     string `json:"ref"`
		Project struct {
			HTTPURL       string `json:"git_http_url"`
			SSHURL        string `json:"git_ssh_url"`
			WebURL        string `json:"web_url"`
			DefaultBranch string `json:"default_branch"`
		} `json:"project"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	kind := p.Kind
	if kind == "" {
		kind = p.Name
	}
	if kind != "push" && kind != "tag_push" {
		return nil, nil
	}
	return refPush(selection.Push{
		RepoURLs: present(p.Project.HTTPURL, p.Project.SSHURL, p.Project.WebURL), DefaultBranch: p.Project.DefaultBranch,
	}, p.Ref)
}
