package convert

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// maxFolders bounds the kustomizations of one Application.
const maxFolders = 2000

func (w *walk) kustomization(dir string) {
	if w.seen[dir] {
		return
	}
	if len(w.seen) >= maxFolders {
		w.refuse(dir, fmt.Sprintf("it is built from more than %d kustomizations", maxFolders), "split the Application")
		return
	}
	w.seen[dir] = true
	w.add(dir)
	k, name, ok := w.load(dir)
	if !ok {
		return
	}
	if len(k.HelmCharts) > 0 || len(k.HelmChartInflationGenerator) > 0 {
		w.refuse(name, "it inflates a Helm chart, which the plugin does not", "commit the output of helm template")
	}
	for _, file := range files(k) {
		w.file(dir, file, name)
	}
	for _, list := range [][]string{k.Resources, k.Components, k.Generators, k.Transformers, k.Validators} {
		for _, entry := range list {
			w.root(dir, entry, name)
		}
	}
}

// components are those that the Application adds.
func (w *walk) components(s source, dir string, given []entry) {
	settings := mapping(given...)
	ignore := textOf(settings, parameters.IgnoreMissingComponents) == "true"
	list, _ := lookUp(settings, parameters.Components)
	if list.value == nil {
		return
	}
	for _, component := range list.value.Content {
		if _, err := w.stat(path.Join(dir, component.Value)); err != nil && ignore {
			continue
		}
		w.root(dir, component.Value, s.field("kustomize.components"))
	}
}

// load reads the kustomization of a folder.
func (w *walk) load(dir string) (*types.Kustomization, string, bool) {
	names, err := w.clone.names(dir)
	if err != nil {
		w.refuse(dir, err.Error(), cloneRemedy)
		return nil, "", false
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isKustomization(name) })
	if len(names) != 1 {
		w.refuse(dir, fmt.Sprintf("it has %d kustomization files", len(names)), "keep one")
		return nil, "", false
	}
	name := path.Join(dir, names[0])
	data, err := w.clone.read(name)
	if err != nil {
		w.refuse(name, err.Error(), cloneRemedy)
		return nil, "", false
	}
	k := &types.Kustomization{}
	if err := k.Unmarshal(data); err != nil {
		w.refuse(name, "it is no kustomization that the plugin's kustomize reads", "mend it: kustomize build tells what is wrong")
		return nil, "", false
	}
	k.FixKustomization()
	return k, name, true
}

// files are the paths that a kustomization loads as files and nothing else. The
// plugin has the same rule (package render), over kustomize's types, which no
// package knows that both could import; a test in hack/equality compares the two.
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

// absent refuses what a kustomization names and the clone does not hold.
func (w *walk) absent(from, name string, err error) {
	if isAddress(name) {
		w.refuse(from, shown(name)+" is remote, and a render does not reach the network", vendorRemedy)
		return
	}
	w.refuse(from, err.Error(), "add it; "+cloneRemedy)
}

// inline tells YAML that stands where a path could from a path.
func inline(entry string) bool { return strings.ContainsAny(entry, "\n{") }

func (w *walk) file(dir, name, from string) {
	if name == "" || inline(name) {
		return
	}
	at := path.Join(dir, name)
	switch isDir, err := w.stat(at); {
	case err != nil:
		w.absent(from, name, err)
	case isDir:
		w.refuse(from, name+" is a folder, and no file", "name a file")
	case !within(dir, at):
		w.refuse(from, name+" lies outside of its folder, where kustomize reads no files", "move it below, or make its folder a base")
	default:
		w.add(path.Dir(at))
		w.linked(at)
	}
}

// root follows a path that is a file or a kustomization.
func (w *walk) root(dir, name, from string) {
	if inline(name) {
		return
	}
	at := path.Join(dir, name)
	switch isDir, err := w.stat(at); {
	case err != nil && strings.ContainsAny(name, "*[") && !strings.Contains(name, ":"):
		w.unknown(from + " has the pattern " + name)
	case err != nil:
		w.absent(from, name, err)
	case isDir:
		w.linked(at)
		w.kustomization(at)
	default:
		w.file(dir, name, from)
	}
}
