package helm

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// Bounds of what the archives of one render may unpack to, beside those of a
// checkout and Helm's own (5 MiB a file).
const (
	maxUnpacked = 100 << 20 // all archives, in bytes: what Helm allows each
	maxDepth    = 16        // charts in charts: an archive can hold itself
)

// vendored is a chart below charts/.
type vendored struct {
	*chart.Chart
	entry string // its file or folder there
	// digest is sha256:… of the archive, empty for a folder.
	digest string
}

// source reads charts from a checkout.
type source struct {
	checkout *render.Checkout
	unpacked int64 // bytes, so far
}

// load reads the chart in a folder, given relative to the Application's path, as
// Helm does (chart/loader, LoadDir), and what it vendors, in the order of the
// names: Helm's own order changes from one time to the next.
func (s *source) load(dir string) (*chart.Chart, []vendored, error) {
	rules, err := s.ignored(dir)
	if err != nil {
		return nil, nil, err
	}
	tree, err := s.checkout.Files(dir, func(name string, info fs.FileInfo) bool {
		// Neither the history nor a waybill is a part of the chart, which could
		// look into itself (.Files).
		return name == ".git" || isWaybill(name) || rules.Ignore(name, info)
	})
	if err != nil {
		return nil, nil, err
	}
	files := make([]*loader.BufferedFile, len(tree))
	for i, file := range tree {
		if int64(len(file.Data)) > loader.MaxDecompressedFileSize {
			return nil, nil, refusal.New(fmt.Sprintf("%s is larger than %d MiB, and Helm takes no such file into a chart", file.Name, loader.MaxDecompressedFileSize>>20),
				"list it in "+ignore.HelmIgnore)
		}
		files[i] = &loader.BufferedFile{Name: file.Name, Data: bytes.TrimPrefix(file.Data, []byte("\ufeff"))}
	}
	return s.assemble(files, 1)
}

// isWaybill tells whether a file of the chart is a waybill, which lies in the
// Application's path itself. A template may have such a name.
func isWaybill(name string) bool {
	return !strings.Contains(name, "/") && waybill.IsFile(name)
}

// ignored returns the rules of .helmignore.
func (s *source) ignored(dir string) (*ignore.Rules, error) {
	rules := ignore.Empty()
	data, err := s.checkout.ReadNamed(path.Join(dir, ignore.HelmIgnore))
	switch {
	case err == nil:
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, refusal.Wrap(fmt.Errorf("%s: %w", ignore.HelmIgnore, err), "mend it")
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	rules.AddDefaults()
	return rules, nil
}

// assemble makes a chart of its files. What lies in charts/ is a chart too, as a
// folder or as an archive (chart/loader, LoadFiles).
func (s *source) assemble(files []*loader.BufferedFile, depth int) (*chart.Chart, []vendored, error) {
	if depth > maxDepth {
		return nil, nil, refusal.New(fmt.Sprintf("its charts are nested more than %d deep", maxDepth), "vendor each chart once")
	}
	var own []*loader.BufferedFile
	below := map[string][]*loader.BufferedFile{}
	for _, file := range files {
		name, found := strings.CutPrefix(file.Name, "charts/")
		if !found || path.Ext(name) == ".prov" {
			own = append(own, file)
			continue
		}
		entry, _, _ := strings.Cut(name, "/")
		below[entry] = append(below[entry], &loader.BufferedFile{Name: name, Data: file.Data})
	}
	c, err := loader.LoadFiles(own)
	if err != nil {
		return nil, nil, err
	}
	var all []vendored
	for _, entry := range slices.Sorted(maps.Keys(below)) {
		if strings.HasPrefix(entry, "_") || strings.HasPrefix(entry, ".") {
			continue
		}
		v, err := s.vendored(entry, below[entry], depth)
		if err != nil {
			return nil, nil, fmt.Errorf("charts/%s of the chart %s: %w", entry, c.Name(), err)
		}
		c.AddDependency(v.Chart)
		all = append(all, v)
	}
	return c, all, nil
}

func (s *source) vendored(entry string, files []*loader.BufferedFile, depth int) (vendored, error) {
	v := vendored{entry: entry}
	var content []*loader.BufferedFile
	if path.Ext(entry) == ".tgz" && files[0].Name == entry {
		sum := sha256.Sum256(files[0].Data)
		v.digest = "sha256:" + hex.EncodeToString(sum[:])
		var err error
		if content, err = s.unpack(files[0].Data); err != nil {
			return vendored{}, err
		}
	}
	for _, file := range files {
		if _, name, found := strings.Cut(file.Name, "/"); found {
			content = append(content, &loader.BufferedFile{Name: name, Data: file.Data})
		}
	}
	var err error
	v.Chart, _, err = s.assemble(content, depth+1)
	return v, err
}

// unpack returns the files of an archive. Its size is counted before anything is
// kept: Helm's own bounds do not count what has no content, nor archives in
// archives.
func (s *source) unpack(archive []byte) ([]*loader.BufferedFile, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("it is no archive (%w)", err)
	}
	size, err := io.Copy(io.Discard, io.LimitReader(unzipped, maxUnpacked-s.unpacked+1))
	if err != nil {
		return nil, fmt.Errorf("it is no archive (%w)", err)
	}
	if s.unpacked += size; s.unpacked > maxUnpacked {
		return nil, refusal.New(fmt.Sprintf("its charts unpack to more than %d MiB", maxUnpacked>>20), "vendor fewer charts")
	}
	return loader.LoadArchiveFiles(bytes.NewReader(archive))
}
