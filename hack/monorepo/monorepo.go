// Package monorepo makes a large repository with many Applications in a stack,
// and has Argo CD render them all: what a render costs beside the plugin itself
// shows there, where each needs a checkout.
package monorepo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/git"
)

// Size is how large a repository is.
type Size struct {
	// Applications are the folders that Argo CD renders.
	Applications int
	// Files and Commits are those of the whole repository.
	Files, Commits int
}

const (
	repository = "monorepo"
	image      = "registry.example.com/monorepo"
	// fileBytes is the size of a file that no Application reads.
	fileBytes = 3 << 10
)

// Renderer is one way in which Argo CD renders the Applications.
type Renderer struct {
	// Name begins the names of its Applications.
	Name string
	// Plugin has Waybill's plugin render; otherwise it is Argo CD's own kustomize.
	Plugin bool
	// Paths sets the annotation manifest-generate-paths to what a render reads.
	Paths bool
}

// Monorepo is the repository, in a stack.
type Monorepo struct {
	stack     *stack.Stack
	size      Size
	renderers []Renderer
	url       string
}

// New makes the repository. Each Application is a small overlay on the base of
// its service, with its waybill beside it, as after a promotion; all renderers
// have Applications of the same folders.
func New(ctx context.Context, s *stack.Stack, size Size, renderers ...Renderer) (*Monorepo, error) {
	m := &Monorepo{stack: s, size: size, renderers: renderers}
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	if m.url, err = s.Git().Create(ctx, repository, files); err != nil {
		return nil, err
	}
	history := make([]git.Commit, max(0, size.Commits-1))
	for i := range history {
		history[i] = git.Commit{
			Message: fmt.Sprintf("Change %d", i+1),
			Files:   map[string]string{fmt.Sprintf("src/%04d.txt", i%max(1, size.Files)): content(size.Files + i)},
		}
	}
	if err := s.Git().CommitAll(ctx, repository, history); err != nil {
		return nil, err
	}
	return m, s.ConnectRepository(ctx, m.url)
}

func (m *Monorepo) files() (map[string]string, error) {
	files := map[string]string{}
	for i := range m.size.Applications {
		app := service(i)
		base, overlay := folder(app)+"/base/", path(app)+"/"
		files[base+"kustomization.yaml"] = "resources: [deployment.yaml, service.yaml]\n"
		files[base+"service.yaml"] = "apiVersion: v1\nkind: Service\nmetadata: {name: " + app + "}\nspec: {ports: [{port: 80}]}\n"
		files[base+"deployment.yaml"] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + app + "}\nspec:\n" +
			"  selector: {matchLabels: {app: " + app + "}}\n  template:\n    metadata: {labels: {app: " + app + "}}\n" +
			"    spec: {containers: [{name: app, image: " + image + "}]}\n"
		files[overlay+"kustomization.yaml"] = "resources: [../base]\nnamePrefix: prod-\n" +
			"configMapGenerator: [{name: settings, literals: [NAME=" + app + "]}]\n"
		for _, r := range m.renderers {
			if !r.Plugin {
				continue
			}
			bill, err := promoted(r.application(i))
			if err != nil {
				return nil, err
			}
			files[overlay+waybill.FileName(r.application(i))] = string(bill)
		}
	}
	for i := 0; len(files) < m.size.Files; i++ {
		files[fmt.Sprintf("src/%04d.txt", i)] = content(i)
	}
	return files, nil
}

// folder is a service's, with its base; path is that of its Application.
func folder(app string) string { return "services/" + app }
func path(app string) string   { return folder(app) + "/prod" }

func service(i int) string { return fmt.Sprintf("app-%02d", i) }

func (r Renderer) application(i int) string { return r.Name + "-" + service(i) }

// content is a file's, another one for each number and as hard to pack as source
// code is.
func content(n int) string {
	var b strings.Builder
	for line := 0; b.Len() < fileBytes; line++ {
		fmt.Fprintf(&b, "line %d of file %d: %x\n", line, n, (n+1)*(line+7)*2654435761)
	}
	return b.String()
}

// promoted is the waybill of an Application.
func promoted(app string) ([]byte, error) {
	pins := freight.Artifacts{Images: []freight.Image{{RepoURL: image, Tag: "v1.0.0", Digest: "sha256:" + strings.Repeat("1f", 32)}}}
	return waybill.Waybill{
		Application: app,
		Stage:       "monorepo/live",
		Serial:      1,
		Freight:     []waybill.Freight{{ID: freight.ID("waybill/monorepo", "monorepo", pins), Origin: "monorepo", Artifacts: pins}},
		Promotion:   waybill.Promotion{ID: "monorepo-live-1", By: "alice", At: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)},
	}.Marshal()
}
