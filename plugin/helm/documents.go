package helm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// document is one YAML document that a template rendered.
type document struct {
	kind    string
	hook    bool
	test    bool // a hook too
	objects []manifest.Object
}

// events are the kinds of hooks that Helm knows. What is annotated with another
// one is left out, as by Helm.
var events = []string{
	string(release.HookPreInstall), string(release.HookPostInstall), string(release.HookPreDelete), string(release.HookPostDelete),
	string(release.HookPreUpgrade), string(release.HookPostUpgrade), string(release.HookPreRollback), string(release.HookPostRollback),
	string(release.HookTest), testSuccess,
}

const testSuccess = "test-success" // Helm 2's word for a test

// documents reads the rendered files in the order in which Helm prints what they
// hold: manifests, then hooks, each in Helm's order of kinds. It is Helm's own
// rule (releaseutil, SortManifests), for which Helm reads each document once more
// than is needed here.
func documents(files map[string]string) ([]document, error) {
	var all []document
	size := 0
	for _, file := range slices.Sorted(maps.Keys(files)) {
		content := files[file]
		if strings.HasPrefix(path.Base(file), "_") || strings.TrimSpace(content) == "" {
			continue
		}
		if size += len(content); size > manifest.MaxSize {
			return nil, errTooLarge
		}
		for _, text := range split(content) {
			d, known, err := read(file, text)
			if err != nil {
				return nil, err
			}
			if known {
				all = append(all, d)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b document) int {
		return cmp.Or(compareBool(a.hook, b.hook), cmp.Compare(rank(a.kind), rank(b.kind)), compareUnknown(a.kind, b.kind))
	})
	return all, nil
}

// split cuts a file into its documents by Helm's own rule, which takes its time.
func split(content string) []string {
	if !strings.Contains(content, "---") {
		return []string{strings.TrimSpace(content)}
	}
	entries := releaseutil.SplitManifests(content)
	keys := slices.Collect(maps.Keys(entries))
	// manifest-9 comes before manifest-10.
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	documents := make([]string, len(keys))
	for i, key := range keys {
		documents[i] = entries[key]
	}
	return documents
}

var errTooLarge = refusal.New(fmt.Sprintf("its manifests are larger than %d MiB, which Argo CD would not take", manifest.MaxSize>>20), "split the Application")

// ranks are the places of the kinds in Helm's order.
var ranks = func() map[string]int {
	places := map[string]int{}
	for i, kind := range releaseutil.InstallOrder {
		places[kind] = i
	}
	return places
}()

// rank returns the place of a kind. Those that Helm does not know come last.
func rank(kind string) int {
	if place, found := ranks[kind]; found {
		return place
	}
	return len(ranks)
}

func compareUnknown(a, b string) int {
	if rank(a) < len(ranks) {
		return 0
	}
	return cmp.Compare(a, b)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// read reads a document. It is not known when it is a hook of a kind that Helm
// leaves out.
func read(file, content string) (d document, known bool, err error) {
	// The line end is Helm's, and belongs to a text that ends the document.
	objects, failure := manifest.Parse([]byte(content + "\n"))
	kind, hook, simple := head(objects, content)
	if failure != nil || !simple {
		var slow releaseutil.SimpleHead
		if err := yaml.Unmarshal([]byte(content), &slow); err != nil {
			return document{}, false, fmt.Errorf("YAML parse error on %s: %w", file, err)
		}
		kind, hook = slow.Kind, nil
		if slow.Metadata != nil {
			if text, found := slow.Metadata.Annotations[release.HookAnnotation]; found {
				hook = &text
			}
		}
	}
	d = document{kind: kind, hook: hook != nil, objects: objects}
	if d.hook {
		for event := range strings.SplitSeq(*hook, ",") {
			event = strings.ToLower(strings.TrimSpace(event))
			if !slices.Contains(events, event) {
				return document{}, false, nil
			}
			d.test = d.test || event == string(release.HookTest) || event == testSuccess
		}
	}
	return d, true, unreadableDocument(file, failure)
}

func unreadableDocument(file string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, manifest.ErrNoObject):
		return fmt.Errorf("%s renders to what is no manifest, %w", file, err)
	}
	return fmt.Errorf("%s cannot be read, %w", file, err)
}

// head returns the kind and the hook annotation of a document, if it is as simple
// as nearly all are: one object, no list, and text where Helm wants text.
func head(objects []manifest.Object, content string) (kind string, hook *string, simple bool) {
	if len(objects) != 1 || strings.Contains(content, "items") {
		return "", nil, false
	}
	kind = objects[0].Kind()
	if objects[0]["metadata"] == nil {
		return kind, nil, true
	}
	metadata, ok := objects[0]["metadata"].(map[string]any)
	if !ok || !isTextOrNothing(metadata["name"]) {
		return "", nil, false
	}
	if metadata["annotations"] == nil {
		return kind, nil, true
	}
	annotations, ok := metadata["annotations"].(map[string]any)
	if !ok {
		return "", nil, false
	}
	for name, value := range annotations {
		text, ok := value.(string)
		if !ok {
			return "", nil, false
		}
		if name == release.HookAnnotation {
			hook = &text
		}
	}
	return kind, hook, true
}

func isTextOrNothing(value any) bool {
	_, ok := value.(string)
	return ok || value == nil
}

// customResources reads a file of crds/, which is no template.
func customResources(file string, data []byte) ([]manifest.Object, error) {
	objects, err := manifest.Parse(append(bytes.Clone(data), '\n'))
	return objects, unreadableDocument(file, err)
}
