package preview

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/proxy/argocd"
)

// Tree is what is rendered: the files of a commit, and others in their place.
type Tree struct {
	// Revision is the full ID of the commit. Without one there is nothing.
	Revision string
	// Files are written over those of the commit, by their path from the root of
	// the repository. Those that the render does not need are left out.
	Files map[string][]byte
	// Removed are files of the commit, and folders with all below, that are taken
	// out; none of them holds one of Files.
	Removed []string
}

// Refusal is the plugin's own sentence for why it does not render; or what kept
// it from rendering, whose repetition would end the same.
type Refusal struct{ Sentence string }

func (r *Refusal) Error() string { return r.Sentence }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// manifests are the outcome of one render.
type manifests struct {
	text   []byte
	digest string // the plugin's, of the text
	// refusal is why there are none; empty where there are.
	refusal string
	// again tells what a second render gave, once there was one.
	again repetition
}

// repetition is whether a render gives the same each time.
type repetition int

const (
	unrepeated repetition = iota
	repeats
	varies
)

func (m manifests) size() int { return len(m.text) + len(m.digest) + len(m.refusal) }

// Digest returns the canonical digest of the manifests that a tree gives: that of
// `waybill-plugin digest`. The error is a *Refusal where it gives none, and where
// it gives others each time: who is bound to a digest could never be satisfied.
// So the first time a tree is rendered twice.
func (r *Renderer) Digest(ctx context.Context, app argocd.Application, tree Tree) (string, error) {
	o, err := r.orderFor(ctx, app, tree)
	if err != nil {
		return "", err
	}
	m, err := r.fulfil(ctx, o)
	if err != nil {
		return "", err
	}
	if m.again == unrepeated {
		second, err := r.run(ctx, o)
		if err != nil {
			return "", err
		}
		m.again = repeats
		if second.digest != m.digest {
			m.again = varies
		}
		r.known.put(o.key, m)
	}
	if m.again == varies {
		return "", refuse("Application %s: it renders random values or the time, and so other manifests each time: approve without a preview, or take those out of its chart", app.Key())
	}
	return m.digest, nil
}

// order is one render.
type order struct {
	app      argocd.Application
	revision string
	paths    []string
	files    map[string][]byte
	removed  []string
	cluster  []string
	// key names all that it depends on.
	key string
}

func (r *Renderer) orderFor(ctx context.Context, app argocd.Application, tree Tree) (order, error) {
	o := order{app: app, revision: tree.Revision, paths: app.GeneratePaths()}
	var err error
	if o.cluster, err = r.options.Cluster(ctx, app); err != nil {
		return o, err
	}
	environment, err := environmentOf(app, o.cluster)
	if err != nil {
		return o, &Refusal{err.Error()}
	}
	id, err := r.git.Tree(ctx, app.RepoURL, tree.Revision, o.paths)
	if err != nil {
		return o, err
	}
	o.files = within(tree.Files, o.paths)
	o.removed = slices.DeleteFunc(slices.Clone(tree.Removed), func(name string) bool { return !isWithin(name, o.paths) })
	o.key = keyOf(id, app.Path, o.files, o.removed, environment)
	return o, nil
}

// outcome is what comes of one of two trees.
type outcome struct {
	manifests
	err error
}

// both returns the manifests of two trees, from memory where they are known, and
// rendered at the same time where neither are. No revision gives nothing.
func (r *Renderer) both(ctx context.Context, app argocd.Application, now, next Tree) (today, candidate outcome) {
	var older order
	if now.Revision != "" {
		older, today.err = r.orderFor(ctx, app, now)
	}
	younger, err := r.orderFor(ctx, app, next)
	var rendered sync.WaitGroup
	if older.key != "" {
		rendered.Go(func() { today.manifests, today.err = r.fulfil(ctx, older) })
	}
	if older.key == younger.key {
		rendered.Wait() // the other one is then in memory
	}
	candidate.err = err
	if err == nil {
		candidate.manifests, candidate.err = r.fulfil(ctx, younger)
	}
	rendered.Wait()
	return today, candidate
}

func (r *Renderer) fulfil(ctx context.Context, o order) (manifests, error) {
	m, known := r.known.get(o.key)
	if !known {
		var err error
		if m, err = r.run(ctx, o); err != nil {
			return manifests{}, err
		}
		r.known.put(o.key, m)
	}
	if m.refusal != "" {
		return manifests{}, &Refusal{m.refusal}
	}
	return m, nil
}

// neutral is what every render is told as its commit. Parameters may put the
// commit into manifests (ARGOCD_APP_REVISION), and the one that a promotion makes
// is not known before: with any other, the digest of the same files would depend
// on the commit that was first seen to hold them.
const neutral = "0000000000000000000000000000000000000000"

// environmentOf returns all that the plugin is told besides files.
func environmentOf(app argocd.Application, cluster []string) ([]string, error) {
	all, err := app.Environment(neutral)
	return append(all, cluster...), err
}

// within returns the files that lie in the paths.
func within(files map[string][]byte, paths []string) map[string][]byte {
	kept := map[string][]byte{}
	for name, content := range files {
		if isWithin(name, paths) {
			kept[name] = content
		}
	}
	return kept
}

func isWithin(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == "." || name == p || strings.HasPrefix(name, p+"/") })
}

// keyOf names all that a render depends on: files and parameters, and not the
// commit that happens to hold the files.
func keyOf(tree, source string, files map[string][]byte, removed, environment []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q\n", tree, source)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "file %q %x\n", name, sha256.Sum256(files[name]))
	}
	for _, name := range removed {
		fmt.Fprintf(h, "removed %q\n", name)
	}
	for _, variable := range environment {
		fmt.Fprintf(h, "variable %q\n", variable)
	}
	return string(h.Sum(nil))
}

// run exports the tree, runs the plugin on it, and leaves nothing behind.
func (r *Renderer) run(ctx context.Context, o order) (manifests, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return manifests{}, errTime
	}
	dir, err := os.MkdirTemp(r.folder, "render-")
	if err != nil {
		return manifests{}, errors.New("a folder for a render cannot be made: " + cause(err))
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays goes with the next start
	if err := r.git.Export(ctx, o.app.RepoURL, o.revision, o.paths, dir); err != nil {
		return manifests{}, err
	}
	at, app, err := prepare(dir, o.app, o.files, o.removed)
	var environment []string
	if err == nil {
		environment, err = environmentOf(app, o.cluster)
	}
	if err != nil {
		return manifests{refusal: err.Error()}, nil
	}
	text, err := r.child(ctx, at, environment, nil, "generate")
	if err != nil {
		return refused(err)
	}
	digest, err := r.child(ctx, at, nil, bytes.NewReader(text), "digest")
	if err != nil {
		return refused(err)
	}
	return manifests{text: text, digest: strings.TrimSpace(string(digest))}, nil
}

// refused makes a refusal of the plugin an outcome, which is remembered like
// every other.
func refused(err error) (manifests, error) {
	var own *Refusal
	if errors.As(err, &own) {
		return manifests{refusal: own.Sentence}, nil
	}
	return manifests{}, err
}

// maxOverride bounds a file that Argo CD merges into a source, in bytes.
const maxOverride = 1 << 20

// prepare writes the files over those of an export, less those removed. It returns the folder of the
// Application's path, and the Application as the files there have it. Nothing is
// read or written outside of the export.
func prepare(dir string, app argocd.Application, files map[string][]byte, removed []string) (string, argocd.Application, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", app, errors.New("the files of a render cannot be opened")
	}
	defer root.Close()
	source := cmp.Or(strings.TrimPrefix(path.Clean("/"+app.Path), "/"), ".")
	// A folder of links would be another one to the plugin, which looks for the
	// checkout above it.
	if info, err := root.Lstat(source); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return "", app, fmt.Errorf("the repository has no folder %s there: correct the Application's path", source)
	} else if err != nil {
		return "", app, fmt.Errorf("the Application's path %s cannot be read", source)
	}
	for _, name := range removed {
		if err := root.RemoveAll(name); err != nil {
			return "", app, fmt.Errorf("%s cannot be removed: something else is there", name)
		}
	}
	for name, content := range files {
		if err := overwrite(root, name, content); err != nil {
			return "", app, fmt.Errorf("%s cannot be written: something else is there", name)
		}
	}
	app, err = app.Overridden(func(name string) ([]byte, error) { return readSmall(root, path.Join(source, name)) })
	return filepath.Join(dir, filepath.FromSlash(source)), app, err
}

func overwrite(root *os.Root, name string, content []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.WriteFile(name, content, 0o600)
}

// readSmall reads a file; a folder of its name is none.
func readSmall(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fs.ErrNotExist
	case info.Size() > maxOverride:
		return nil, errors.New("it is too large")
	}
	return root.ReadFile(name)
}
