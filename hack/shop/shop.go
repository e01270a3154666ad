// Package shop is the product of the demo and of the end-to-end tests: a
// repository with one overlay for each environment, its Applications, a pipeline
// that takes it from dev through staging to prod, and the people who may promote
// and approve.
package shop

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"text/template"

	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/hack/stack/registry"
)

const (
	// Name is the name of the product: its pipeline, AppProject, repository and
	// image.
	Name = "shop"
	// ProdBranch is the branch of the stage prod.
	ProdBranch = "env/prod"
	// Promoter is the account that may promote.
	Promoter = "alice"
	// Approver is the account that may approve.
	Approver = "bob"
)

// Stages are the stages of the pipeline, in the order in which freight passes.
var Stages = []string{"dev", "staging", "prod"}

//go:embed repository manifests
var files embed.FS

// Shop is the product, set up in a stack.
type Shop struct {
	stack *stack.Stack
	// RepoURL is the Git repository, Image the image repository.
	RepoURL string
	Image   string
}

// SetUp makes the repository, the AppProject, the Applications, the pipeline and
// the accounts. The accounts' passwords are their names.
func SetUp(ctx context.Context, s *stack.Stack) (*Shop, error) {
	shop := &Shop{stack: s, Image: s.Registry().Repository(Name)}
	repository, err := shop.render("repository")
	if err != nil {
		return nil, err
	}
	if shop.RepoURL, err = s.Git().Create(ctx, Name, repository); err != nil {
		return nil, err
	}
	// The stage's own branch begins as main is, so that Argo CD has something
	// to look at before the first promotion.
	if _, err := s.Git().Commit(ctx, Name, git.Commit{Branch: ProdBranch, Message: "Begin env/prod", Files: map[string]string{"ENVIRONMENT": "prod\n"}}); err != nil {
		return nil, err
	}
	if err := s.ConnectRepository(ctx, shop.RepoURL); err != nil {
		return nil, err
	}
	for _, account := range []string{Promoter, Approver} {
		if err := s.CreateAccount(ctx, account, account); err != nil {
			return nil, err
		}
	}
	manifests, err := shop.render("manifests")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"namespaces.yaml", "access.yaml", "credentials.yaml", "project.yaml", "applications.yaml", "pipeline.yaml"} {
		if err := shop.Apply(ctx, manifests[name]); err != nil {
			return nil, fmt.Errorf("applying the shop's %s: %w", name, err)
		}
	}
	return shop, nil
}

// Apply applies manifests as the shop's team does: server-side, under a name of
// its own, so that it shares Argo CD's ConfigMaps with the bundle.
func (s *Shop) Apply(ctx context.Context, manifests string) error {
	_, err := s.stack.Kubectl(ctx, []byte(manifests), "apply", "--server-side", "--field-manager=shop", "-f", "-")
	return err
}

// Manifest returns one of the shop's manifests, for tests that change it.
func (s *Shop) Manifest(name string) (string, error) {
	all, err := s.render("manifests")
	return all[name], err
}

// Push pushes a version of the image, as CI would, and returns its digest.
func (s *Shop) Push(ctx context.Context, tag string) (string, error) {
	return s.stack.Registry().PushImage(ctx, Name, tag, registry.Image{
		Labels: map[string]string{"org.opencontainers.image.version": tag, "org.opencontainers.image.source": s.RepoURL},
	})
}

// render fills in the files of a folder, by their path below it.
func (s *Shop) render(folder string) (map[string]string, error) {
	rendered := map[string]string{}
	data := struct{ RepoURL, Image, User, Password string }{s.RepoURL, s.Image, s.stack.Git().User(), s.stack.Git().Password()}
	err := fs.WalkDir(files, folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		// The pipeline's own expressions, ${{ … }}, are not the template's.
		t, err := template.New(path).Delims("[[", "]]").Parse(string(content))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var out bytes.Buffer
		if err := t.Execute(&out, data); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		rendered[path[len(folder)+1:]] = out.String()
		return nil
	})
	return rendered, err
}
