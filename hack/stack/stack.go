// Package stack runs a whole Kubernetes control plane with Argo CD, a container
// registry and a Git host on this machine, without containers: what the demo,
// the end-to-end tests and the benchmarks run on. All of it listens on 127.0.0.1
// (but for the metrics of Argo CD's application controller, which know no
// address), and nothing of it outlives Stop.
//
// There is no pod network and no kubelet: kwok makes Pods Ready, containers do
// not run, and NetworkPolicies have no effect.
package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/waybill-cd/waybill/hack/stack/component"
	"github.com/waybill-cd/waybill/hack/stack/git"
	"github.com/waybill-cd/waybill/hack/stack/loopback"
	"github.com/waybill-cd/waybill/hack/stack/process"
	"github.com/waybill-cd/waybill/hack/stack/registry"
)

// Config says what to start.
type Config struct {
	// Dir is the folder for all state and logs: a new one, an empty one or one
	// that a stack has used before, whose content is then removed. When empty,
	// it is a temporary folder that Stop removes. A long path does not work,
	// because Unix sockets stand in it.
	Dir string
	// Log gets the progress, for people; nil for nowhere.
	Log io.Writer
	// ArgoCDPort, RegistryPort and GitPort are ports on 127.0.0.1; 0 is a free
	// one.
	ArgoCDPort, RegistryPort, GitPort int
	// Plugin is a config-management plugin to run; nil for none.
	Plugin *Plugin
	// ExtraEnv holds NAME=value pairs for every process of the stack.
	ExtraEnv []string
}

// Plugin is a config-management plugin, run by argocd-cmp-server as in the
// sidecar of a repo-server.
type Plugin struct {
	// Binary is the path of the plugin's program. Its folder stands first in
	// the PATH of argocd-cmp-server, so that the configuration can name the
	// program without a folder.
	Binary string
	// Config is the path of plugin.yaml.
	Config string
	// Env holds NAME=value pairs for argocd-cmp-server, and so for the plugin.
	Env []string
}

// Stack is a running stack. Its methods may be called at any time, by several
// goroutines.
type Stack struct {
	config Config
	log    *progress
	folder *folder
	env    []string
	ports  *loopback.Ports
	group  *process.Group
	bin    binaries

	kube          kubernetesAddresses
	argocd        argocdAddresses
	adminPassword string
	rest          *rest.Config
	client        kubernetes.Interface
	registry      *registry.Server
	git           *git.Server
	logs          []*os.File // of the two
	ui            extensions
}

// binaries are the folders that component.Builder fills.
type binaries struct{ kubernetes, argocd, kwok string }

// Start builds the programs that the cache lacks, which takes about ten minutes
// the first time, then starts the stack and returns when all of it is ready.
// After an error nothing is left running. Once Start has returned, ctx has no
// part in the stack's life; Stop ends it.
func Start(ctx context.Context, c Config) (*Stack, error) {
	log := &progress{out: c.Log}
	bin, err := build(ctx, log)
	if err != nil {
		return nil, err
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		s, err := start(ctx, c, log, bin)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, process.ErrAddressInUse) || attempt == attempts {
			return nil, err
		}
		log.printf("a port was taken by somebody else between its choice and its use: starting again with others")
	}
}

// Prepare builds the programs that the cache lacks, and tells log how it goes.
func Prepare(ctx context.Context, log io.Writer) error {
	_, err := build(ctx, &progress{out: log})
	return err
}

func build(ctx context.Context, log *progress) (binaries, error) {
	builder, err := component.NewBuilder(log)
	if err != nil {
		return binaries{}, err
	}
	var bin binaries
	for _, target := range []struct {
		set component.Set
		dir *string
	}{
		{component.Kubernetes(), &bin.kubernetes},
		{component.ArgoCD(), &bin.argocd},
		{component.Kwok(), &bin.kwok},
	} {
		dir, err := builder.Build(ctx, target.set)
		if err != nil {
			return binaries{}, err
		}
		*target.dir = dir
	}
	return bin, nil
}

func start(ctx context.Context, c Config, log *progress, bin binaries) (*Stack, error) {
	began := time.Now()
	folder, err := openFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	env := environment(folder, c.ExtraEnv)
	s := &Stack{
		config: c,
		log:    log,
		folder: folder,
		env:    env,
		ports:  &loopback.Ports{},
		group:  process.NewGroup(folder.log(), folder.path, env),
		bin:    bin,

		adminPassword: rand.Text(),
	}
	if err := s.startAll(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	log.printf("the stack is ready after %v", time.Since(began).Round(100*time.Millisecond))
	return s, nil
}

// startAll starts everything in two strands that meet where Argo CD needs the
// API server. The parts that need nothing start first and take no time.
func (s *Stack) startAll(ctx context.Context) error {
	if err := s.choosePorts(); err != nil {
		return err
	}
	if err := s.writeCredentials(); err != nil {
		return err
	}
	if err := s.startServers(ctx); err != nil {
		return err
	}
	return inParallel(ctx,
		func(ctx context.Context) error {
			if err := s.startAPIServer(ctx); err != nil {
				return err
			}
			return inParallel(ctx, s.startControllers, s.startArgoCD)
		},
		s.startRepoServer,
		s.startPlugin,
	)
}

// startServers starts the servers that run in this process.
func (s *Stack) startServers(ctx context.Context) error {
	registryPort, err := s.port(s.config.RegistryPort)
	if err != nil {
		return err
	}
	gitPort, err := s.port(s.config.GitPort)
	if err != nil {
		return err
	}
	registryLog, err := s.openLog(Registry)
	if err != nil {
		return err
	}
	gitLog, err := s.openLog(Git)
	if err != nil {
		return err
	}
	s.registry = registry.New(registry.Config{Port: registryPort, Log: registryLog})
	s.git, err = git.New(git.Config{Dir: s.folder.join("git"), Port: gitPort, Log: gitLog})
	if err != nil {
		return err
	}
	for _, server := range []struct {
		name    string
		service process.Service
	}{
		{Redis, &redis{port: s.argocd.redis}},
		{Registry, s.registry},
		{Git, s.git},
	} {
		if err := s.group.Add(ctx, server.name, server.service); err != nil {
			return err
		}
	}
	return nil
}

// openLog opens the log of a server that runs in this process, until Stop.
func (s *Stack) openLog(name string) (io.Writer, error) {
	file, err := os.OpenFile(s.LogPath(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	s.logs = append(s.logs, file)
	return file, nil
}

// port reserves the port that is asked for, or a free one for 0.
func (s *Stack) port(wanted int) (int, error) {
	if wanted != 0 {
		return wanted, s.ports.Fix(wanted)
	}
	return s.ports.Take()
}

// choosePorts reserves the ports of all processes, so that each may know the
// others' before they run.
func (s *Stack) choosePorts() error {
	for _, port := range []*int{
		&s.kube.etcd, &s.kube.etcdPeer, &s.kube.apiServer, &s.kube.controllerManager, &s.kube.scheduler, &s.kube.kwok,
		&s.argocd.redis, &s.argocd.repoServer, &s.argocd.repoServerMetrics, &s.argocd.controllerMetrics,
		&s.argocd.serverMetrics,
	} {
		var err error
		if *port, err = s.ports.Take(); err != nil {
			return err
		}
	}
	var err error
	s.argocd.server, err = s.port(s.config.ArgoCDPort)
	return err
}

// stopTimeout bounds Stop; what has not ended by then is killed.
const stopTimeout = time.Minute

// Stop ends all components, the last first, removes the UI extensions and, where
// the folder is a temporary one, the folder. To stop twice is no error.
func (s *Stack) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.group.Close(ctx)
	s.ports.Release()
	for _, file := range s.logs {
		_ = file.Close() // closed before when the stack is stopped twice
	}
	return errors.Join(err, s.ui.remove(), s.folder.close())
}

// Wait returns nil when ctx ends, and an error with the end of a component's log
// when one dies that nobody stopped.
func (s *Stack) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.group.Died():
		return err
	}
}

// Dir is the folder of the stack's state.
func (s *Stack) Dir() string { return s.folder.path }

// Environment is the whole environment of the stack's processes: the caller's
// PATH, and folders of the stack's own for everything else.
func (s *Stack) Environment() []string { return slices.Clone(s.env) }

// Port reserves a free port on 127.0.0.1 for as long as the stack runs.
func (s *Stack) Port() (int, error) { return s.ports.Take() }

// Registry is the container registry.
func (s *Stack) Registry() *registry.Server { return s.registry }

// Git is the Git host.
func (s *Stack) Git() *git.Server { return s.git }

// environment keeps the user's settings and credentials out, and what processes
// write in the user's name in the folder.
func environment(f *folder, extra []string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + f.join("home"),
		"TMPDIR=" + f.join("tmp"),
		"GIT_CONFIG_NOSYSTEM=1",
	}, extra...)
}

// writeFile writes a file that may hold a credential into the stack's folder.
func (s *Stack) writeFile(name string, content []byte) (string, error) {
	path := s.folder.join(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	return path, nil
}
