package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

var hello = product{
	Name:        "hello",
	Package:     "github.com/waybill-cd/waybill/hack/images/testdata/hello",
	Beside:      []program{{Name: "hello-beside", Package: "github.com/waybill-cd/waybill/hack/images/testdata/hello"}},
	Description: "Says hello.",
	User:        4242,
	Account:     "somebody",
}

const epoch = 1767225600 // of every build in these tests

// emptyRegistry returns the host of a registry that lives as long as the test.
func emptyRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// build runs the command and returns what it printed, without the registry's host.
func build(t *testing.T, host string, args ...string) string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", strconv.Itoa(epoch))
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"--registry", host + "/waybill"}, args...), []product{hello}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(out.String()), host+"/")
}

func TestTheSameSourceGivesTheSameDigest(t *testing.T) {
	first := build(t, emptyRegistry(t), "--version", "v1.0.0", "--push")
	second := build(t, emptyRegistry(t), "--version", "v1.0.0")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
	if other := build(t, emptyRegistry(t), "--version", "v1.0.1"); other == first {
		t.Errorf("versions v1.0.0 and v1.0.1 have the same digest %s", other)
	}
}

func TestAPushedImageIsWhatAClusterNeeds(t *testing.T) {
	host := emptyRegistry(t)
	printed := build(t, host, "--version", "v1.0.0", "--push")
	byDigest, err := name.NewDigest(host + "/" + printed)
	if err != nil {
		t.Fatalf("the command printed no reference: %v", err)
	}
	index := pull(t, byDigest)
	byTag := pull(t, byDigest.Tag("v1.0.0"))
	if got, want := digest(t, byTag), digest(t, index); got != want {
		t.Errorf("the tag v1.0.0 is %s, want %s", got, want)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.OCIImageIndex {
		t.Errorf("media type %s, want %s", manifest.MediaType, types.OCIImageIndex)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.Platform.Architecture, func(t *testing.T) { checkImage(t, image, m.Platform.Architecture) })
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func pull(t *testing.T, ref name.Reference) v1.ImageIndex {
	t.Helper()
	index, err := remote.Index(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func digest(t *testing.T, index v1.ImageIndex) string {
	t.Helper()
	d, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func checkImage(t *testing.T, image v1.Image, architecture string) {
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	labels := config.Config.Labels
	if revision, ok := labels["org.opencontainers.image.revision"]; ok && len(revision) != 40 {
		t.Errorf("revision %q is not a commit", revision)
	}
	delete(labels, "org.opencontainers.image.revision") // none before the first commit
	want := v1.Config{
		User:       "4242:4242",
		Env:        []string{"PATH=/usr/local/bin"},
		Entrypoint: []string{"/usr/local/bin/hello"},
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "hello",
			"org.opencontainers.image.description": "Says hello.",
			"org.opencontainers.image.url":         "https://github.com/waybill-cd/waybill",
			"org.opencontainers.image.source":      "https://github.com/waybill-cd/waybill",
			"org.opencontainers.image.version":     "v1.0.0",
			"org.opencontainers.image.licenses":    "Apache-2.0",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if config.Architecture != architecture || config.Created.Unix() != epoch {
		t.Errorf("the image is for %s and of %s", config.Architecture, config.Created)
	}

	listing, files := extract(t, image)
	if diff := cmp.Diff([]string{
		"drwxr-xr-x etc/",
		"-rw-r--r-- etc/group",
		"-rw-r--r-- etc/passwd",
		"drwxr-xr-x etc/ssl/",
		"drwxr-xr-x etc/ssl/certs/",
		"-rw-r--r-- etc/ssl/certs/ca-certificates.crt",
		"dtrwxrwxrwx tmp/",
		"drwxr-xr-x usr/",
		"drwxr-xr-x usr/local/",
		"drwxr-xr-x usr/local/bin/",
		"-rwxr-xr-x usr/local/bin/hello",
		"-rwxr-xr-x usr/local/bin/hello-beside",
	}, listing); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got, want := string(files["etc/passwd"]), "somebody:x:4242:4242::/tmp:/sbin/nologin\n"; got != want {
		t.Errorf("etc/passwd is %q, want %q", got, want)
	}
	checkRoots(t, files[rootsFile])
	checkBinary(t, files["usr/local/bin/hello"], architecture)
	checkBinary(t, files["usr/local/bin/hello-beside"], architecture)
}

// extract returns the files of an image, and a listing with their modes in the
// order of the layers. All of them must belong to root and be of the given time.
func extract(t *testing.T, image v1.Image) (listing []string, files map[string][]byte) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		archive := tar.NewReader(content)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if header.Uid != 0 || header.Gid != 0 || header.ModTime.Unix() != epoch {
				t.Errorf("%s belongs to %d:%d and is of %s", header.Name, header.Uid, header.Gid, header.ModTime.UTC())
			}
			listing = append(listing, fmt.Sprint(header.FileInfo().Mode(), " ", header.Name))
			if files[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
	return listing, files
}

func checkRoots(t *testing.T, file []byte) {
	t.Helper()
	count := 0
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !root.IsCA {
			t.Errorf("not a root certificate: %v", err)
		}
		count++
	}
	if count < 100 {
		t.Errorf("the image trusts %d root certificates; Mozilla's list has well over 100", count)
	}
}

func checkBinary(t *testing.T, binary []byte, architecture string) {
	t.Helper()
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatalf("the binary: %v", err)
	}
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[architecture]; program.Machine != want {
		t.Errorf("the binary is for %s, want %s", program.Machine, want)
	}
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("the binary needs a dynamic linker, and the image has none")
		}
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != architecture {
		return
	}
	path := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "hello v1.0.0\n"; got != want {
		t.Errorf("the binary says %q, want %q", got, want)
	}
}

func TestAFileThatAProgramNeedsComesWithIt(t *testing.T) {
	host := emptyRegistry(t)
	t.Setenv("SOURCE_DATE_EPOCH", strconv.Itoa(epoch))
	withFile := hello
	withFile.Shared = []string{"testdata/hello/main.go"}
	args := []string{"--registry", host + "/waybill", "--version", "v1.0.0", "--platforms", "linux/amd64", "--push"}
	var out bytes.Buffer
	if err := run(t.Context(), args, []product{withFile}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewDigest(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	index := pull(t, ref)
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	listing, files := extract(t, image)
	want, err := os.ReadFile("testdata/hello/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(files["usr/local/share/waybill/main.go"], want) || !slices.Contains(listing, "-rw-r--r-- usr/local/share/waybill/main.go") {
		t.Errorf("the image has %q", listing)
	}

	withFile.Shared = []string{"ui/dist/nothing.js"}
	if err := run(t.Context(), args, []product{withFile}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "ui/dist/nothing.js is not built: run make images") {
		t.Errorf("without the file: %v", err)
	}
}

func TestNothingIsPushedUnasked(t *testing.T) {
	host := emptyRegistry(t)
	printed := build(t, host, "--version", "v1.0.0", "--platforms", "linux/"+runtime.GOARCH)
	ref, err := name.NewDigest(host + "/" + printed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(ref, remote.WithContext(t.Context())); err == nil {
		t.Errorf("%s is in the registry", ref)
	}
}

func TestABadRequestSaysWhatIsAllowed(t *testing.T) {
	broken := hello
	broken.Package += "/nowhere"
	for _, test := range []struct {
		name    string
		args    []string
		product product
		want    string
	}{
		{name: "a push to nowhere", args: []string{"--push"}, want: "--registry host/prefix"},
		{name: "an argument too many", args: []string{"--registry", "r.example.com/w", "more"}, want: "--registry host/prefix"},
		{name: "another platform", args: []string{"--registry", "r.example.com/w", "--platforms", "windows/amd64"}, want: "use linux/amd64 or linux/arm64"},
		{name: "a registry that is no name", args: []string{"--registry", "r.example.com/W!"}, want: "do not make an image name"},
		{name: "a version that is no tag", args: []string{"--registry", "r.example.com/w", "--version", "v1+b"}, want: "do not make an image name"},
		{name: "a program that does not compile", args: []string{"--registry", "r.example.com/w"}, product: broken, want: "compiling " + broken.Package},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := hello
			if test.product.Name != "" {
				p = test.product
			}
			err := run(t.Context(), test.args, []product{p}, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// The linker says nothing when there is no such variable.
func TestEveryProductTakesItsVersionFromTheLinker(t *testing.T) {
	for _, p := range products() {
		for _, program := range p.programs() {
			out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Name}} {{.Dir}}", program.Package).Output()
			if err != nil {
				t.Fatal(err)
			}
			name, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
			if name != "main" {
				t.Errorf("%s is the package %s", program.Package, name)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, declaresVersion) {
				t.Errorf("%s has no variable version", program.Package)
			}
		}
	}
}

func declaresVersion(file string) bool {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return false
	}
	for _, d := range parsed.Decls {
		vars, ok := d.(*ast.GenDecl)
		if !ok || vars.Tok != token.VAR {
			continue
		}
		for _, spec := range vars.Specs {
			if slices.ContainsFunc(spec.(*ast.ValueSpec).Names, func(n *ast.Ident) bool { return n.Name == "version" }) {
				return true
			}
		}
	}
	return false
}

func TestTheTimeIsThatOfTheCommit(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Chdir(t.TempDir())

	s, err := describeSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(source{Version: "unreleased", Time: time.Unix(0, 0).UTC()}, s); diff != "" {
		t.Errorf("outside a repository (-want +got):\n%s", diff)
	}

	t.Setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
	commit := []string{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "--message", "first"}
	for _, args := range [][]string{{"init", "--quiet"}, commit, {"tag", "v1.2.3"}} {
		if _, err := git(context.Background(), args...); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = describeSource(t.Context()); err != nil {
		t.Fatal(err)
	}
	revision, err := git(t.Context(), "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(source{Version: "v1.2.3", Revision: revision, Time: time.Unix(epoch, 0).UTC()}, s); diff != "" {
		t.Errorf("on a tagged commit (-want +got):\n%s", diff)
	}

	t.Setenv("SOURCE_DATE_EPOCH", "soon")
	if _, err = describeSource(t.Context()); err == nil || !strings.Contains(err.Error(), "not a number of seconds") {
		t.Errorf("error %v, want one about SOURCE_DATE_EPOCH", err)
	}
}
