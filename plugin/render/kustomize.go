package render

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provenance"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// kustomization builds what `kustomize build` builds, with its default options,
// once the Application's own are laid over the kustomization.
func (c *Checkout) kustomization(options KustomizeOptions) ([]manifest.Object, error) {
	g := &graph{checkout: c, files: newFileSystem(c), seen: map[node]bool{}}
	if err := g.edit(options); err != nil {
		return nil, err
	}
	if err := g.visit(node{dir: c.path}); err != nil {
		return nil, err
	}
	built, err := build(g.files, filepath.Join(c.base, c.path))
	if err != nil {
		return nil, g.explain(err)
	}
	objects := make([]manifest.Object, 0, built.Size())
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return nil, g.explain(err)
		}
		o, err := manifest.FromJSON(text)
		if err != nil {
			return nil, g.explain(fmt.Errorf("%s: %w", resource.CurId(), err))
		}
		if g.managedBy {
			nameRelease(o)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// release is the kustomize that the linked library was released with.
const release = "v5.8.1"

// nameRelease corrects the label that buildMetadata: [managedByLabel] asks for.
// The library puts the version of the program into it that it is linked into,
// which would differ from one build of the plugin to the next.
func nameRelease(o manifest.Object) {
	metadata, _ := o["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	if labels[konfig.ManagedbyLabelKey] == "kustomize-"+provenance.GetProvenance().Semver() {
		labels[konfig.ManagedbyLabelKey] = "kustomize-" + release
	}
}

// build runs kustomize. It is known to panic on some broken input, whose stack
// would otherwise be all that the user sees.
func build(files filesys.FileSystem, path string) (built resmap.ResMap, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("kustomize gave up on it: %v", problem)
		}
	}()
	return krusty.MakeKustomizer(buildOptions()).Run(files, path)
}

// buildOptions are those of `kustomize build` without a flag, which orders its
// output where the library leaves it as it comes.
func buildOptions() *krusty.Options {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	return options
}

// clutter is what kustomize says beside the point, and what stays of it. It is
// compiled for errors alone.
var clutter = sync.OnceValue(func() []quotation {
	return []quotation{
		// How it tried a path as a file before it was a folder, or a file as a folder
		// once it had refused it.
		{regexp.MustCompile(`(?s)accumulation err='([^\n]*?)': must build at directory: '[^']*': file is not directory`), "$1"},
		{regexp.MustCompile(`accumulation err='.*?': (must build|couldn't make|recursed|cycle)`), "$1"},
		// Its input: the configuration of a generator, patches, values.
		{regexp.MustCompile(`(?s)&\{.*?\}: `), "… "},
		{regexp.MustCompile(`(?s)\[patch: .*\]`), "[patch: …]"},
		{regexp.MustCompile("(?s)`\n.*`"), "…"},
		{regexp.MustCompile(`(?s)(patch and path can't be set at the same time|must specify one of patch and path) ?(?:in)?\n.*`), "$1"},
		{regexp.MustCompile(`(?s)(must specify a target for (?:JSON )?patch) .*`), "$1"},
		{regexp.MustCompile(`(?s)(node contents):\n.*`), "$1 …"},
		{regexp.MustCompile(`(?s)(is out of bounds for value) .*`), "$1 …"},
		{regexp.MustCompile(`(?s)line \[[\d ]*\] (has invalid utf8 bytes) : .*`), "a line $1"},
		{regexp.MustCompile(`(?s)(missing metadata\.name in object) \{\{\S* (\w*)\}.*\}\}`), "$1 $2"},
	}
})

type quotation struct {
	pattern *regexp.Regexp
	stays   string
}

// explain makes an error of kustomize fit to be shown: paths as they are in the
// repository, no values of secrets, and a remedy.
func (g *graph) explain(err error) error {
	c := g.checkout
	var missing *absence
	if errors.As(err, &missing) {
		return absent(missing, c.tell(c.path))
	}
	text := strings.ReplaceAll(err.Error(), c.base+string(filepath.Separator), strings.TrimPrefix(c.prefix+"/", "/"))
	text = strings.ReplaceAll(text, c.base, c.tell("."))
	for _, q := range clutter() {
		text = q.pattern.ReplaceAllString(text, q.stays)
	}
	// The longest first, since one value may be part of another.
	slices.SortFunc(g.secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range g.secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	if len(g.files.edited) > 0 {
		return refusal.New(text, "mend it, or the parameters that the Application lays over it")
	}
	return refusal.New(text, "mend it, kustomize build "+c.tell(c.path)+" shows the same")
}
