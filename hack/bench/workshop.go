package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/hack/stack/component"
)

// workshop is a folder with the programs and the checkouts of a run.
type workshop struct {
	builder   *component.Builder
	root      string // of this repository
	dir       string
	plugin    string // waybill-plugin, built as for a release
	kustomize string
}

// openWorkshop builds waybill-plugin and what the cache lacks of the others.
func openWorkshop(ctx context.Context, log io.Writer) (*workshop, error) {
	dir, err := os.MkdirTemp("", "waybill-bench-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir}
	builder, err := component.NewBuilder(log)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.builder, w.root = builder, builder.Root
	kustomize, err := builder.Build(ctx, component.Kustomize())
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.kustomize = filepath.Join(kustomize, "kustomize")
	if w.plugin, err = w.build(ctx, "waybill-plugin", "./plugin"); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *workshop) close() error { return os.RemoveAll(w.dir) }

// build compiles a program of this repository with the flags of make build, and
// returns its path. All of them stand in one folder, as in the image.
func (w *workshop) build(ctx context.Context, name, pkg string) (string, error) {
	path := filepath.Join(w.dir, "bin", name)
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=bench", "-o", path, pkg)
	command.Dir = w.root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// The Application that is rendered.
const (
	application = "shop-prod"
	shopPath    = "overlays/prod"
)

// shop is a deployment and a service with an overlay, as small as they come.
//
//go:embed testdata/shop
var shop embed.FS

// checkout writes the shop as Argo CD unpacks it for a plugin, with files laid
// over it, and promotes freight into it. It returns the Application's path.
func (w *workshop) checkout(name string, over map[string]string) (string, error) {
	root := filepath.Join(w.dir, name, "_cmp_server", "0c9e")
	files, err := fs.Sub(shop, "testdata/shop")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	if err := os.CopyFS(root, files); err != nil {
		return "", err
	}
	return lay(root, over)
}

// application writes an Application as Argo CD unpacks it for a plugin, and
// promotes freight into it. It returns the Application's path.
func (w *workshop) application(name string, files map[string]string) (string, error) {
	return lay(filepath.Join(w.dir, name, "_cmp_server", "0c9e"), files)
}

// lay writes files below a root, and promotes freight into the Application there.
func lay(root string, files map[string]string) (string, error) {
	for file, text := range files {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	path := filepath.Join(root, shopPath)
	return path, promote(path)
}

// promote writes the waybill of a promotion into an Application's path.
func promote(path string) error {
	data, err := bill("v1.4.2")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, waybill.FileName(application)), data, 0o644)
}

// bill is the waybill of freight with the shop's image of a tag.
func bill(tag string) ([]byte, error) {
	artifacts := freight.Artifacts{Images: []freight.Image{{
		RepoURL: "registry.example.com/shop", Tag: tag, Digest: "sha256:" + strings.Repeat("1", 64),
	}}}
	return waybill.Waybill{
		Application: application,
		Stage:       "shop/prod",
		Serial:      42,
		Freight:     []waybill.Freight{{ID: freight.ID("waybill/shop", "shop", artifacts), Origin: "shop", Artifacts: artifacts}},
		Promotion:   waybill.Promotion{ID: "shop.prod.42", By: "alice", At: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)},
		VerifiedIn:  []string{"dev", "staging"},
	}.Marshal()
}

// environment is what Argo CD passes.
func (w *workshop) environment() []string {
	return []string{
		"ARGOCD_APP_NAME=" + application, "ARGOCD_APP_SOURCE_PATH=" + shopPath, "ARGOCD_APP_PARAMETERS=null",
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + w.dir,
	}
}
