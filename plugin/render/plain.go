package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// skipMarker opts a file out of rendering, as in Argo CD.
var skipMarker = []byte("+argocd:skip-file-rendering")

// plain reads the manifests of a directory by Argo CD's own rules (argo-cd,
// reposerver/repository, findManifests): its YAML and JSON files in the order of
// their names; a YAML file that does not look like a manifest is passed over.
func (c *Checkout) plain(options DirectoryOptions) ([]manifest.Object, error) {
	selected, err := options.selection()
	if err != nil {
		return nil, err
	}
	var all []manifest.Object
	files := newFileSystem(c)
	from := filepath.ToSlash(c.path)
	err = fs.WalkDir(c.root.FS(), from, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s cannot be listed", c.tell(name))
		case entry.IsDir() && name != from && (!options.Recurse || entry.Name() == ".git"):
			return fs.SkipDir
		case entry.IsDir() || !isManifest(entry.Name()):
			return nil
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return fmt.Errorf("%s cannot be found", c.tell(name))
		}
		isFile := entry.Type().IsRegular()
		if entry.Type()&fs.ModeSymlink != 0 {
			resolved, isDir, err := files.resolve(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return refusal.Wrap(err, "remove the link "+relative)
			}
			name, isFile = resolved, err == nil && !isDir
		}
		if !isFile || !selected(relative) {
			return nil
		}
		objects, err := c.manifests(name, relative)
		all = append(all, objects...)
		return err
	})
	return all, err
}

// manifests reads one file. relative is what it is called.
func (c *Checkout) manifests(name, relative string) ([]manifest.Object, error) {
	if path.Ext(relative) == jsonnet {
		return nil, refusal.New(relative+" is Jsonnet, which the plugin does not render",
			"commit its output, and leave it out by the parameter "+parameters.Exclude)
	}
	data, err := c.read(name)
	if err != nil || bytes.Contains(data, skipMarker) {
		return nil, err
	}
	objects, err := manifest.Parse(data)
	if waybill.IsFile(relative) {
		objects = slices.DeleteFunc(objects, isWaybill)
	}
	if err != nil && (len(objects) > 0 || path.Ext(relative) == ".json" || looksLikeManifest(data)) {
		return nil, unreadable(relative, err)
	}
	return objects, nil
}

// jsonnet is what Argo CD would evaluate. To pass it over would delete what it
// deployed before.
const jsonnet = ".jsonnet"

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", jsonnet}, path.Ext(name))
}

// isWaybill tells a waybill, which may have lost its mark, from a manifest whose
// file is named like one: to pass that over would delete what it deployed before.
func isWaybill(o manifest.Object) bool {
	return o.Kind() == waybill.Kind && o.APIVersion() == freight.APIVersion
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
