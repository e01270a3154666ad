// Command native renders an Application's source as Argo CD's repo-server does
// without a plugin. It reads requests as JSON from standard input, one after the
// other, and writes an answer for each to standard output. The programs
// kustomize and helm, where a source needs them, come from PATH.
//
// A render may write to the checkout, as Argo CD's does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v2/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v2/reposerver/repository"
	"github.com/argoproj/argo-cd/v2/util/git"
	argoio "github.com/argoproj/argo-cd/v2/util/io"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/api/resource"
)

// request is one source to render.
type request struct {
	Root        string                     `json:"root"` // of the checkout
	Application string                     `json:"application"`
	Namespace   string                     `json:"namespace"`
	Revision    string                     `json:"revision"`
	KubeVersion string                     `json:"kubeVersion"`
	APIVersions []string                   `json:"apiVersions"`
	Source      v1alpha1.ApplicationSource `json:"source"`
}

// answer holds the manifests as JSON objects, or why there are none.
type answer struct {
	Manifests []json.RawMessage `json:"manifests,omitempty"`
	Error     string            `json:"error,omitempty"`
}

func main() {
	// Argo CD's packages make loggers of their own, by this variable.
	if err := os.Setenv("ARGOCD_LOG_LEVEL", "fatal"); err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		os.Exit(1)
	}
	logrus.SetOutput(io.Discard)
	if err := serve(context.Background(), json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	for {
		var r request
		switch err := in.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading a request: %w", err)
		}
		manifests, err := render(ctx, r)
		a := answer{Manifests: manifests}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("writing an answer: %w", err)
		}
	}
}

func render(ctx context.Context, r request) ([]json.RawMessage, error) {
	response, err := repository.GenerateManifests(ctx, filepath.Join(r.Root, r.Source.Path), r.Root, r.Revision, &apiclient.ManifestRequest{
		Repo:              &v1alpha1.Repository{Repo: r.Source.RepoURL},
		AppName:           r.Application,
		Namespace:         r.Namespace,
		ApplicationSource: &r.Source,
		KubeVersion:       r.KubeVersion,
		ApiVersions:       r.APIVersions,
		HelmOptions:       &v1alpha1.HelmOptions{},
	}, true, git.NoopCredsStore{}, resource.Quantity{}, argoio.NewRandomizedTempPaths(os.TempDir()))
	if err != nil {
		return nil, err
	}
	manifests := make([]json.RawMessage, len(response.Manifests))
	for i, text := range response.Manifests {
		manifests[i] = json.RawMessage(text)
	}
	return manifests, nil
}
