package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// skipMarker opts a file out of rendering, as in Argo CD.
var skipMarker = []byte("+argocd:skip-file-rendering")

// plain reads the manifests of a directory by Argo CD's own rules: its YAML and
// JSON files in the order of their names, no subdirectories; a YAML file that
// does not look like a manifest is passed over.
func (c *Checkout) plain() ([]manifest.Object, error) {
	names, err := c.Names()
	if err != nil {
		return nil, err
	}
	var all []manifest.Object
	files := newFileSystem(c)
	for _, name := range names {
		if !isManifest(name) {
			continue
		}
		resolved, isDir, err := files.resolve(filepath.Join(c.path, name))
		if isDir || errors.Is(err, fs.ErrNotExist) {
			continue // a link to nowhere is passed over too
		}
		if err != nil {
			return nil, refusal.Wrap(err, "remove the link "+name)
		}
		data, err := c.read(resolved)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(data, skipMarker) {
			continue
		}
		objects, err := manifest.Parse(data)
		if err != nil && (len(objects) > 0 || filepath.Ext(name) == ".json" || looksLikeManifest(data)) {
			return nil, unreadable(name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) && !waybill.IsFile(name)
}

// looksLikeManifest tells a broken manifest from some other file, as Argo CD does.
func looksLikeManifest(data []byte) bool {
	for _, field := range []string{"apiVersion:", "kind:", "metadata:"} {
		if !bytes.Contains(data, []byte(field)) {
			return false
		}
	}
	return true
}

func unreadable(name string, err error) error {
	if errors.Is(err, manifest.ErrNoObject) {
		return refusal.Wrap(fmt.Errorf("%s, %w", name, err), "mend it, or put the comment # +argocd:skip-file-rendering into the file")
	}
	return refusal.Wrap(fmt.Errorf("%s cannot be read, %w", name, err), "mend the file")
}
