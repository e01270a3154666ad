package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// product is a program that is shipped as an image of its own.
type product struct {
	Name        string    // of the binary and of the repository
	Package     string    // import path of its main package, which has a variable version
	Beside      []program // further programs in the same folder
	Shared      []string  // files, by their paths from the top of the repository, that it finds in sharedFolder
	Description string
	User        int    // user and group that it runs as
	Account     string // name of both
}

// program is one that a product's own needs beside it.
type program struct {
	Name    string // of the binary
	Package string // import path of its main package, which has a variable version
}

// programs are all that the image holds, the one that it starts first.
func (p product) programs() []program {
	return append([]program{{Name: p.Name, Package: p.Package}}, p.Beside...)
}

// index builds the product for the platforms. The folder dir keeps the files that
// the index reads, until it has been used.
func (p product) index(ctx context.Context, s source, platforms []v1.Platform, dir string, progress io.Writer) (v1.ImageIndex, error) {
	userland, err := p.userland(filepath.Join(dir, p.Name+".userland.tar"), s.Time)
	if err != nil {
		return nil, err
	}
	var images []mutate.IndexAddendum
	for _, platform := range platforms {
		report(progress, fmt.Sprintf("building %s %s for %s", p.Name, s.Version, platform.String()))
		built := filepath.Join(dir, p.Name+"."+platform.Architecture)
		for _, program := range p.programs() {
			if err := compile(ctx, program.Package, filepath.Join(built, program.Name), s.Version, platform); err != nil {
				return nil, err
			}
		}
		binaries, err := p.binaries(built+".tar", s.Time, built)
		if err != nil {
			return nil, err
		}
		image, err := p.image(s, platform, userland, binaries)
		if err != nil {
			return nil, fmt.Errorf("making the image %s for %s: %w", p.Name, platform.String(), err)
		}
		images = append(images, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), images...)
	return mutate.Annotations(index, p.labels(s)).(v1.ImageIndex), nil
}

// image puts the layers and the configuration together.
func (p product) image(s source, platform v1.Platform, userland, binaries v1.Layer) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	user := fmt.Sprintf("%d:%d", p.User, p.User)
	image, err := mutate.ConfigFile(image, &v1.ConfigFile{
		OS:           platform.OS,
		Architecture: platform.Architecture,
		Created:      v1.Time{Time: s.Time},
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       user,
			Env:        []string{"PATH=/" + binariesFolder},
			Entrypoint: []string{"/" + binariesFolder + "/" + p.Name},
			WorkingDir: "/",
			Labels:     p.labels(s),
		},
	})
	if err != nil {
		return nil, err
	}
	var packages []string
	for _, program := range p.programs() {
		packages = append(packages, program.Package)
	}
	return mutate.Append(image,
		mutate.Addendum{Layer: userland, History: v1.History{Created: v1.Time{Time: s.Time}, CreatedBy: "hack/images: root certificates and the account " + p.Account}},
		mutate.Addendum{Layer: binaries, History: v1.History{Created: v1.Time{Time: s.Time}, CreatedBy: "hack/images: " + strings.Join(packages, ", ")}},
	)
}

// labels are OCI's predefined keys, for people and scanners that look at an image.
func (p product) labels(s source) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       p.Name,
		"org.opencontainers.image.description": p.Description,
		"org.opencontainers.image.url":         repositoryURL,
		"org.opencontainers.image.source":      repositoryURL,
		"org.opencontainers.image.version":     s.Version,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if s.Revision != "" {
		labels["org.opencontainers.image.revision"] = s.Revision
	}
	return labels
}
