// Package preview shows what a promotion would change before it is made: it
// renders an Application's manifests as they are and as they would be, with the
// plugin's own binary as a child process, and compares the two.
//
// A render is a pure function of files and parameters, so each is done once and
// remembered. Live state plays no part: what is compared is what Argo CD would
// be given today and what it would be given then. The one thing that a render is
// told otherwise than by Argo CD is its commit, which is all zeros on both sides:
// manifests that name their commit show no difference for it.
package preview

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/waybill-cd/waybill/proxy/argocd"
)

// Git reads what a render needs of a repository, see gitrepo.Repositories.
type Git interface {
	// Tree names what paths hold at a commit.
	Tree(ctx context.Context, repoURL, revision string, paths []string) (string, error)
	// Export writes what paths hold at a commit into an empty folder.
	Export(ctx context.Context, repoURL, revision string, paths []string, dir string) error
}

// Options tells how to render. The zero value of each field but Plugin and Dir
// stands for its default.
type Options struct {
	// Plugin is the path of the plugin's binary; the one for charts stands
	// beside it.
	Plugin string
	// Dir is the folder for the files of renders, for this process alone: what a
	// former process left there is removed.
	Dir string
	// Cluster returns what the plugin is told of the cluster that an Application is
	// deployed to, NAME=value; nil for nothing. Its errors pass.
	Cluster func(context.Context, argocd.Application) ([]string, error)
	// Timeout bounds one run of the plugin; 20 s.
	Timeout time.Duration
	// MaxMemory bounds the data of one run of the plugin, in bytes, where the
	// system can; 192 MiB.
	MaxMemory uint64
	// MaxChildren is how many run at once; as many as there are CPUs, at most 2.
	MaxChildren int
	// MaxCache bounds the manifests that are remembered, in bytes; 64 MiB.
	MaxCache int
}

const (
	defaultTimeout   = 20 * time.Second
	defaultMaxMemory = 192 << 20
	defaultMaxCache  = 64 << 20
	// mostChildren keeps the memory of all runs within that of a pod, however
	// many CPUs its node has.
	mostChildren = 2
	// maxComparisons is how many Applications are compared at once: it takes
	// memory and time of this process itself, which no limit bounds.
	maxComparisons = 2
)

func (o *Options) setDefaults() {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMaxMemory
	}
	if o.MaxChildren <= 0 {
		o.MaxChildren = min(runtime.GOMAXPROCS(0), mostChildren)
	}
	if o.Cluster == nil {
		o.Cluster = func(context.Context, argocd.Application) ([]string, error) { return nil, nil }
	}
	if o.MaxCache <= 0 {
		o.MaxCache = defaultMaxCache
	}
}

// Renderer renders and compares. Its methods may be called by several
// goroutines.
type Renderer struct {
	git     Git
	options Options
	folder  string
	slots   chan struct{}
	// comparing has a place for each comparison that goes on.
	comparing chan struct{}
	known     *memory
	// limit bounds the memory of a process, in bytes.
	limit func(*os.Process, uint64) error
}

// New makes a Renderer. It refuses a plugin that cannot be run.
func New(git Git, o Options) (*Renderer, error) {
	o.setDefaults()
	plugin, err := exec.LookPath(o.Plugin)
	if err == nil {
		plugin, err = filepath.Abs(plugin)
	}
	if err != nil {
		return nil, fmt.Errorf("previews run the plugin's binary, and %s is none: name waybill-plugin with --plugin", o.Plugin)
	}
	o.Plugin = plugin
	if o.Dir == "" {
		return nil, errors.New("renders need a folder: none is given")
	}
	folder, err := filepath.Abs(filepath.Join(o.Dir, "preview"))
	if err != nil {
		return nil, fmt.Errorf("the folder for renders cannot be found: %w", err)
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o700)); err != nil {
		return nil, fmt.Errorf("the folder for renders cannot be made: %w", err)
	}
	return &Renderer{
		git: git, options: o, folder: folder,
		slots:     make(chan struct{}, o.MaxChildren),
		comparing: make(chan struct{}, maxComparisons),
		known:     newMemory(o.MaxCache),
		limit:     limit,
	}, nil
}
