package receiver

import (
	"net/http"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/selection"
)

// readDockerHub reads what Docker Hub sends for a push, which is all that it
// tells of (docs.docker.com, Docker Hub, Webhooks). Its callback_url is never
// called: it would be an address that the caller chooses.
func readDockerHub(_ http.Header, body []byte) ([]selection.Push, error) {
	var p struct {
		PushData struct {
			Tag string `json:"tag"`
		} `json:"push_data"`
		Repository struct {
			RepoName string `json:"repo_name"`
		} `json:"repository"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if p.Repository.RepoName == "" {
		return nil, errPayload
	}
	return []selection.Push{{RepoURLs: []string{"docker.io/" + p.Repository.RepoName}, Tags: present(p.PushData.Tag)}}, nil
}

// readQuay reads a repository push of Quay (docs.quay.io, Repository
// Notifications). Its other events have no updated_tags.
func readQuay(_ http.Header, body []byte) ([]selection.Push, error) {
	var p struct {
		DockerURL   string    `json:"docker_url"`
		UpdatedTags *[]string `json:"updated_tags"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	switch {
	case p.UpdatedTags == nil:
		return nil, nil
	case p.DockerURL == "":
		return nil, errPayload
	}
	push := selection.Push{RepoURLs: []string{p.DockerURL}}
	if tags := *p.UpdatedTags; len(tags) <= maxTags {
		push.Tags = tags
	}
	return []selection.Push{push}, nil
}

// The bounds of what of one payload is matched with subscriptions: more tags are
// as good as unknown ones, and more images are no event of a push.
const (
	maxTags   = 1000
	maxImages = 100
)

// harborEvent is what both of Harbor's payload formats tell.
type harborEvent struct {
	Resources []struct {
		Tag string `json:"tag"`
		// ResourceURL is the image reference, with tag or digest.
		ResourceURL string `json:"resource_url"`
	} `json:"resources"`
}

// readHarbor reads an artifact that was pushed, in the format Default or
// CloudEvents (goharbor.io/docs, Configure Webhook Notifications).
func readHarbor(_ http.Header, body []byte) ([]selection.Push, error) {
	var p struct {
		Type      string      `json:"type"`
		EventData harborEvent `json:"event_data"` // of Default
		Data      harborEvent `json:"data"`       // of CloudEvents
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	var event harborEvent
	switch p.Type {
	case "PUSH_ARTIFACT":
		event = p.EventData
	case "harbor.artifact.pushed":
		event = p.Data
	default:
		return nil, nil
	}
	if n := len(event.Resources); n == 0 || n > maxImages {
		return nil, errPayload
	}
	var pushes []selection.Push
	for _, resource := range event.Resources {
		repo, _, _ := freight.SplitImage(resource.ResourceURL)
		if repo == "" {
			return nil, errPayload
		}
		push := selection.Push{RepoURLs: []string{repo}}
		// Without a tag, Harbor writes the digest there.
		if !strings.Contains(resource.Tag, ":") {
			push.Tags = present(resource.Tag)
		}
		pushes = append(pushes, push)
	}
	return pushes, nil
}
