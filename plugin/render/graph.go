package render

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// maxKustomizations bounds the graph of one Application.
const maxKustomizations = 2000

const (
	vendorRemedy = "vendor it, a render reaches no network"
	pluginRemedy = "commit its output, a render runs no program"
	helmRemedy   = "commit the output of helm template"
	moveRemedy   = "move it below, or make its folder a base"
	absentRemedy = "add it, or name its folder in the annotation manifest-generate-paths"
)

// graph is a walk over the kustomizations that an Application is built from.
// kustomize has no switch against remote bases and remote files, so they are
// looked for in every field that kustomize loads from, before it runs.
//
// What cannot be read is passed over here: kustomize says it better. It cannot
// get further than the walk, because both read with the same code; should it
// ever, the network and all programs are out of its reach (see package main).
type graph struct {
	checkout *Checkout
	files    fileSystem
	seen     map[node]bool
	// managedBy tells whether objects are labelled with kustomize's version.
	managedBy bool
	// secrets are the values of secret generators, not to be told in errors.
	secrets []string
}

// node is a kustomization, and whether its output configures plugins.
type node struct {
	dir     string
	plugins bool
}

func (g *graph) visit(n node) error {
	if g.seen[n] {
		return nil
	}
	if len(g.seen) >= maxKustomizations {
		return refusal.New(fmt.Sprintf("it is built from more than %d kustomizations", maxKustomizations), "split the Application")
	}
	g.seen[n] = true
	k, _, err := g.files.kustomization(n.dir)
	if err != nil {
		return nil //nolint:nilerr // kustomize will read it too, and say so
	}
	if n.dir == g.checkout.path {
		g.managedBy = slices.Contains(k.BuildMetadata, types.ManagedByLabelOption)
	}
	for _, args := range k.SecretGenerator {
		g.hide(args.LiteralSources)
	}
	if len(k.HelmCharts) > 0 {
		return g.refuse(n.dir, fmt.Sprintf("inflates the Helm chart %s", k.HelmCharts[0].Name), helmRemedy)
	}
	for _, path := range files(k) {
		if isRemoteFile(path) {
			return g.refuse(n.dir, "loads the remote file "+withoutSecrets(path), vendorRemedy)
		}
	}
	for _, path := range k.Resources {
		if err := g.root(n, path, false); err != nil {
			return err
		}
	}
	for _, path := range k.Components {
		if err := g.root(n, path, true); err != nil {
			return err
		}
	}
	for _, list := range [][]string{k.Generators, k.Transformers, k.Validators} {
		for _, entry := range list {
			if err := g.plugin(n.dir, entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// files are the paths that a kustomization loads as files and nothing else.
func files(k *types.Kustomization) []string {
	paths := append([]string{k.OpenAPI["path"]}, k.Crds...)
	paths = append(paths, k.Configurations...)
	//nolint:staticcheck // kustomize still builds from its deprecated fields
	json6902, strategicMerge := k.PatchesJson6902, k.PatchesStrategicMerge
	for _, patch := range slices.Concat(k.Patches, json6902) {
		paths = append(paths, patch.Path)
	}
	for _, patch := range strategicMerge {
		paths = append(paths, string(patch))
	}
	for _, replacement := range k.Replacements {
		paths = append(paths, replacement.Path)
	}
	for _, args := range k.ConfigMapGenerator {
		paths = append(paths, sources(args.KvPairSources)...)
	}
	for _, args := range k.SecretGenerator {
		paths = append(paths, sources(args.KvPairSources)...)
	}
	return paths
}

// sources are the files of a generator, which may be written key=path.
func sources(pairs types.KvPairSources) []string {
	paths := append([]string{pairs.EnvSource}, pairs.EnvSources...)
	for _, source := range pairs.FileSources {
		paths = append(paths, afterKey(source))
	}
	return paths
}

func afterKey(source string) string {
	return source[strings.Index(source, "=")+1:]
}

// root follows a path that may be a file, unless it is a component, or else a
// kustomization.
func (g *graph) root(from node, path string, component bool) error {
	switch {
	case isRemoteFile(path):
		return g.refuse(from.dir, "has the remote resource "+withoutSecrets(path), vendorRemedy)
	case filepath.IsAbs(path):
		return nil // not allowed, or a file of its own folder
	}
	name, isDir, err := g.files.resolve(filepath.Join(from.dir, path))
	isFile := err == nil && !isDir
	switch {
	case isFile && !component:
		if below, err := filepath.Rel(from.dir, name); err != nil || !filepath.IsLocal(below) {
			return g.refuse(from.dir, "loads "+g.checkout.tell(name)+" from outside of its folder", moveRemedy)
		}
		if from.plugins {
			return g.configuration(from.dir, name)
		}
		return nil
	case isRemoteRoot(path):
		return g.refuse(from.dir, "has the remote base "+withoutSecrets(path), vendorRemedy)
	case err != nil:
		return absent(err, g.checkout.tell(from.dir))
	case isFile:
		return nil
	}
	return g.visit(node{name, from.plugins})
}

// plugin follows an entry of generators, transformers or validators: the
// configuration itself, or a path to it.
func (g *graph) plugin(dir, entry string) error {
	if objects, err := manifest.Parse([]byte(entry)); err == nil && len(objects) > 0 {
		return g.allow(dir, objects)
	}
	return g.root(node{dir, true}, entry, false)
}

func (g *graph) configuration(dir, name string) error {
	data, err := g.checkout.read(name)
	if err != nil {
		return nil //nolint:nilerr // kustomize will read it too, and say so
	}
	objects, _ := manifest.Parse(data)
	return g.allow(dir, objects)
}

// allow refuses the configuration of every plugin that is not built into
// kustomize, and of those that are, the ones that would reach out.
func (g *graph) allow(dir string, objects []manifest.Object) error {
	for _, o := range objects {
		if o.APIVersion() != konfig.BuiltinPluginApiVersion {
			return g.refuse(dir, "uses "+describe(o), pluginRemedy)
		}
		if o.Kind() == "HelmChartInflationGenerator" {
			return g.refuse(dir, "uses the Helm chart generator "+o.Name(), helmRemedy)
		}
		for _, field := range slices.Sorted(maps.Keys(o)) { // which is told must not change
			texts := manifest.Texts(o[field])
			slices.Sort(texts)
			// The case of a field does not matter to kustomize here.
			switch strings.ToLower(field) {
			case "literals":
				g.hide(texts)
			case "path", "paths", "files", "env", "envs", "replacements", "targetfilepath":
				for _, text := range texts {
					if path := afterKey(text); isRemoteFile(text) || isRemoteFile(path) {
						return g.refuse(dir, "loads the remote file "+withoutSecrets(path), vendorRemedy)
					}
				}
			}
		}
	}
	return nil
}

// describe names a plugin by what it runs.
func describe(o manifest.Object) string {
	metadata, _ := o["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, key := range []string{"config.kubernetes.io/function", "config.k8s.io/function"} {
		text, ok := annotations[key].(string)
		if !ok {
			continue
		}
		var function struct {
			Container struct{ Image string }
			Exec      struct{ Path string }
		}
		if err := yaml.Unmarshal([]byte(text), &function); err != nil {
			return "the function " + o.String()
		}
		return strings.TrimSpace("the function " + function.Container.Image + function.Exec.Path)
	}
	return "the exec plugin " + o.String()
}

// minSecret is the shortest value that is hidden: hiding less would only make
// errors unreadable.
const minSecret = 4

func (g *graph) hide(literals []string) {
	for _, literal := range literals {
		if value := afterKey(literal); len(value) >= minSecret {
			g.secrets = append(g.secrets, value)
		}
	}
}

func (g *graph) refuse(dir, what, remedy string) error {
	return refusal.New(g.where(dir)+" "+what, remedy)
}

// absent refuses for want of something that a kustomization needs.
func absent(err error, kustomization string) error {
	if kustomization == "." {
		kustomization = "its kustomization"
	}
	return refusal.New(err.Error()+", which "+kustomization+" needs", absentRemedy)
}

func (g *graph) where(dir string) string {
	if dir = g.checkout.tell(dir); dir != "." {
		return "the kustomization " + dir
	}
	return "the kustomization at the root"
}
