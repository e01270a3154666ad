package convert

import (
	"fmt"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// Reads are the folders of a repository that a render reads.
type Reads struct {
	folders []string
	// Unknown is why they cannot be told, empty where they can.
	Unknown string
}

// Value is the annotation manifest-generate-paths that covers them: absolute, as
// few folders as possible.
func (r *Reads) Value() string {
	var all []string
	for _, folder := range r.smallest() {
		all = append(all, absolute(folder))
	}
	return strings.Join(all, ";")
}

func absolute(folder string) string { return "/" + strings.TrimPrefix(folder, ".") }

// smallest leaves out folders that lie in others.
func (r *Reads) smallest() []string {
	var all []string
	for _, folder := range slices.Sorted(slices.Values(r.folders)) {
		if !slices.ContainsFunc(r.folders, func(other string) bool { return other != folder && within(other, folder) }) {
			all = append(all, folder)
		}
	}
	return slices.Compact(all)
}

// within tells whether a path is a folder or lies in it.
func within(folder, name string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

// beyond returns what a present annotation does not cover. A relative item
// belongs to the source's path (argo-cd, util/app/path, GetAppRefreshPaths).
func (r *Reads) beyond(annotation, sourcePath string) []string {
	var missing []string
	for _, folder := range r.smallest() {
		covered := false
		for item := range strings.SplitSeq(annotation, ";") {
			switch {
			case item == "":
				continue
			case strings.HasPrefix(item, "/"):
				item = path.Clean("." + item)
			default:
				item = path.Join(sourcePath, item)
			}
			// A pattern is not judged.
			covered = covered || within(item, folder) || strings.ContainsAny(item, "*?[")
		}
		if !covered {
			missing = append(missing, absolute(folder))
		}
	}
	return missing
}

// look looks at the source in the clone: whether it is what its settings say,
// whether the plugin can render it, and what a render reads. It returns nil
// without a clone, or for a path that an ApplicationSet fills in.
func (m *move) look(s source, kind parameters.Kind, given []entry) *Reads {
	clone := m.options.Clone
	dir := textOf(s.node, "path")
	if clone == nil || len(m.Obstacles) > 0 {
		return nil
	}
	if m.isTemplated(dir) {
		return &Reads{Unknown: "its path differs for each Application"}
	}
	dir = path.Clean(dir)
	found, err := clone.kind(dir)
	switch {
	case !m.trial && !clone.isOf(textOf(s.node, "repoURL")):
		m.refuse(s.field("repoURL"), "it is another repository than that of the Applications before it, and --repo is one clone", "convert the Applications of each repository apart")
		return nil
	case err != nil:
		m.refuse(s.field("path"), err.Error(), cloneRemedy)
		return nil
	case kind != "" && kind != found:
		m.refuse(s.field(string(kind)), fmt.Sprintf("its path holds %s, and the plugin goes by that", describe(found)), "render what the path holds, or move it to a path of its own")
		return nil
	}
	m.overrides(clone, dir)
	w := &walk{move: m, clone: clone, reads: &Reads{}, seen: map[string]bool{}}
	w.add(dir)
	switch found {
	case parameters.Kustomization:
		w.kustomization(dir)
		w.components(s, dir, given)
	case parameters.Chart:
		w.chart(s, dir, given)
	case parameters.Plain:
		w.plain(s, dir, given)
	}
	if strings.Contains(strings.Join(w.reads.folders, ""), ";") {
		w.unknown("a folder has ; in its name")
	}
	return w.reads
}

// overrides finds the files by which Argo CD changes a source from within Git
// (argo-cd, reposerver/repository, mergeSourceParameters).
func (m *move) overrides(clone *Clone, dir string) {
	names, _ := clone.names(dir)
	own := ".argocd-source-" + textOf(m.metadata, "name") + ".yaml"
	for _, name := range names {
		if name == ".argocd-source.yaml" || name == own {
			at := path.Join(dir, name)
			m.Obstacles = append(m.Obstacles, Obstacle{Reason: "the file " + at + " changes the native settings, which Argo CD does not take beside a plugin",
				Remedy: "move what it sets into the Application, and remove it"})
		}
	}
}

// walk collects what a render reads. What it does not find it refuses: a path
// that is not in the repository is remote, or broken.
type walk struct {
	move  *move
	clone *Clone
	reads *Reads
	seen  map[string]bool
}

func (w *walk) unknown(why string) {
	if w.reads.Unknown == "" {
		w.reads.Unknown = why
	}
}

func (w *walk) add(dir string) {
	if link, found := w.clone.link(dir); found {
		w.unknown(link + " is a symbolic link")
	}
	w.reads.folders = append(w.reads.folders, dir)
}

func (w *walk) refuse(where, reason, remedy string) {
	w.move.Obstacles = append(w.move.Obstacles, Obstacle{Reason: where + ": " + reason, Remedy: remedy})
}

func (w *walk) stat(name string) (bool, error) {
	if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return false, fmt.Errorf("%s lies outside of the repository", name)
	}
	return w.clone.stat(name)
}

func (w *walk) linked(name string) {
	if link, found := w.clone.link(name); found {
		w.unknown(link + " is a symbolic link")
	}
}

// chart looks at a chart, its value files and what it depends on.
func (w *walk) chart(s source, dir string, given []entry) {
	if link, found := w.clone.linkBelow(dir); found {
		w.unknown(link + " is a symbolic link")
	}
	w.dependencies(dir)
	settings := mapping(given...)
	ignore := textOf(settings, parameters.IgnoreMissingValueFiles) == "true"
	if e, found := lookUp(settings, parameters.ValueFiles); found {
		for i, file := range e.value.Content {
			w.setting(dir, file.Value, fmt.Sprintf("%s[%d]", s.field("helm.valueFiles"), i), ignore)
		}
	}
	if e, found := lookUp(settings, parameters.SetFile); found {
		for i, file := range entries(e.value) {
			w.setting(dir, file.value.Value, fmt.Sprintf("%s[%d].path", s.field("helm.fileParameters"), i), false)
		}
	}
}

// setting is a file that the Application names: in the chart, or from the root
// of the repository where it begins with a slash.
func (w *walk) setting(dir, name, field string, ignoreMissing bool) {
	if w.move.isTemplated(name) {
		w.unknown(field + " differs for each Application")
		return
	}
	at := path.Join(dir, name)
	if path.IsAbs(name) {
		at = path.Clean("." + name)
	}
	if strings.Contains(path.Dir(at), "$") {
		w.unknown(field + " is in a folder named by a variable")
		return
	}
	if _, err := w.stat(at); err != nil && !ignoreMissing && !strings.Contains(at, "$") {
		w.move.refuse(field, err.Error(), "add it, or set ignoreMissingValueFiles")
		return
	}
	w.add(path.Dir(at))
	w.linked(at)
}

// dependencies checks that a chart is whole: Argo CD would fetch what is
// missing, and the plugin reaches no network.
func (w *walk) dependencies(dir string) {
	var chart struct {
		Dependencies []struct{ Name string }
	}
	for _, name := range []string{chartFile, "requirements.yaml"} {
		data, err := w.clone.read(path.Join(dir, name))
		if err != nil {
			continue // the older of the two is rarely there
		}
		if err := kyaml.Unmarshal(data, &chart); err != nil {
			w.refuse(path.Join(dir, name), "it is no YAML", "mend it")
			return
		}
		vendored, _ := w.clone.names(path.Join(dir, "charts"))
		for _, dependency := range chart.Dependencies {
			if !slices.ContainsFunc(vendored, func(v string) bool {
				return v == dependency.Name || strings.HasPrefix(v, dependency.Name+"-") && strings.HasSuffix(v, ".tgz")
			}) {
				w.refuse(path.Join(dir, name), "the chart depends on "+dependency.Name+", which is not below charts/, and a render does not reach the network",
					"vendor it with helm dependency build, and commit charts/")
			}
		}
	}
}

// plain looks for what the plugin would not render in a folder of manifests.
func (w *walk) plain(s source, dir string, given []entry) {
	if link, found := w.clone.linkBelow(dir); found {
		w.unknown(link + " is a symbolic link")
	}
	settings := mapping(given...)
	_, included := lookUp(settings, parameters.Include)
	_, excluded := lookUp(settings, parameters.Exclude)
	name, found := w.clone.fileBelow(dir, ".jsonnet", textOf(settings, parameters.Recurse) == "true")
	switch {
	case !found:
	case included || excluded:
		w.move.note("%s is Jsonnet, which the plugin passes over: make sure that include and exclude leave it out", name)
	default:
		w.move.refuse(s.field("path"), name+" is Jsonnet, which the plugin does not evaluate", "commit its output, or leave the Application as it is")
	}
}
