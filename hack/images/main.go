// The command images builds Waybill's OCI images without a container engine and
// pushes them to a registry:
//
//	go run ./hack/images --registry registry.example.com/waybill --push
//
// It prints one line for each image, its repository and digest, as `images:` of a
// kustomization takes them. The same commit, version and Go toolchain give the
// same digests. Registry credentials are those of `docker login`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], products(), os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		report(os.Stderr, "images: "+err.Error())
		os.Exit(1)
	}
}

// products are the images that Waybill consists of.
func products() []product {
	plugin := program{Name: "waybill-plugin", Package: "github.com/waybill-cd/waybill/plugin"}
	chart := program{Name: "waybill-plugin-chart", Package: "github.com/waybill-cd/waybill/plugin/chart"}
	return []product{
		{
			Name:        "waybill-proxy",
			Package:     "github.com/waybill-cd/waybill/proxy",
			Beside:      []program{plugin, chart}, // previews run them
			Description: "Finds freight, runs promotions and verification, and answers Argo CD's proxy extension.",
			User:        65532,
			Account:     "waybill",
		},
		{
			Name:        plugin.Name,
			Package:     plugin.Package,
			Beside:      []program{chart},
			Description: "Renders an Argo CD Application pinned to the freight its stage holds, as a sidecar of argocd-repo-server.",
			// The user of Argo CD's own images: repo-server and sidecar share a socket.
			User:    999,
			Account: "argocd",
		},
		{
			Name:        "waybill-extension",
			Package:     "github.com/waybill-cd/waybill/ui/deliver",
			Shared:      []string{"ui/dist/extension-waybill.js"},
			Description: "Puts Waybill's UI extension where argocd-server serves it from, as an init container of its pod.",
			User:        999,
			Account:     "argocd",
		},
	}
}

// run builds the products as the arguments say, and prints a reference for each.
func run(ctx context.Context, args []string, products []product, out, progress io.Writer) error {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.SetOutput(progress)
	registry := flags.String("registry", "", "`host/prefix` of the repositories, for example registry.example.com/waybill; needed to push")
	push := flags.Bool("push", false, "push the images; otherwise they are built and their digests printed")
	version := flags.String("version", "", "version in the binaries and labels, and the tag; the default is what git describe says")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64", "`list` of platforms, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *push && *registry == "" {
		return errors.New("usage: images [--registry host/prefix [--push]] [--version version] [--platforms list]")
	}
	targets, err := parsePlatforms(*platforms)
	if err != nil {
		return err
	}
	source, err := describeSource(ctx)
	if err != nil {
		return err
	}
	if *version != "" {
		source.Version = *version
	}

	dir, err := os.MkdirTemp("", "waybill-images-")
	if err != nil {
		return fmt.Errorf("making a folder for the build: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder

	for _, p := range products {
		repository, tag, err := p.name(*registry, source.Version)
		if err != nil {
			return err
		}
		index, err := p.index(ctx, source, targets, dir, progress)
		if err != nil {
			return err
		}
		digest, err := index.Digest()
		if err != nil {
			return fmt.Errorf("digest of %s: %w", p.Name, err)
		}
		if *push {
			report(progress, "pushing "+tag.String())
			if err := remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
				return fmt.Errorf("pushing %s: %w", tag, err)
			}
		}
		if _, err := fmt.Fprintf(out, "%s@%s\n", repository, digest); err != nil {
			return err
		}
	}
	return nil
}

// name returns the repository of a product in a registry, and the tag of a
// version in it. Without a registry the repository is the product's bare name,
// and nothing can be pushed.
func (p product) name(registry, version string) (repository string, tag name.Tag, err error) {
	if registry == "" {
		return p.Name, name.Tag{}, nil
	}
	tag, err = name.NewTag(strings.TrimSuffix(registry, "/")+"/"+p.Name+":"+version, name.StrictValidation)
	if err != nil {
		return "", name.Tag{}, fmt.Errorf("%q and version %q do not make an image name: %w", registry, version, err)
	}
	return tag.Context().Name(), tag, nil
}

// report writes a line of progress; whoever does not listen misses it.
func report(progress io.Writer, line string) {
	_, _ = fmt.Fprintln(progress, line)
}

// parsePlatforms reads a list such as linux/amd64,linux/arm64.
func parsePlatforms(list string) ([]v1.Platform, error) {
	var platforms []v1.Platform
	for _, s := range strings.Split(list, ",") {
		p, err := v1.ParsePlatform(strings.TrimSpace(s))
		if err != nil || p.OS != "linux" || (p.Architecture != "amd64" && p.Architecture != "arm64") || p.Variant != "" {
			return nil, fmt.Errorf("platform %q is not supported: use linux/amd64 or linux/arm64", s)
		}
		platforms = append(platforms, *p)
	}
	return platforms, nil
}
