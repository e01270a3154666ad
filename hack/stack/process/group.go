// Package process supervises the processes of a stack: each in a process group
// of its own with a log file, started until it is ready, and stopped so that
// nothing is left of it.
package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
)

// Service is one member of a Group: a process, or a server inside this process.
// A stopped service can be started again, at the same addresses.
type Service interface {
	// Start returns when the service is ready.
	Start(ctx context.Context) error
	// Stop ends the service in good order, or by force when ctx ends.
	Stop(ctx context.Context) error
	// Kill ends the service at once and returns when it is gone.
	Kill() error
	// Running tells whether the service has been started and has not ended.
	// Stop and Kill of one that does not run do nothing.
	Running() bool
}

// Group holds services in the order in which they were added.
type Group struct {
	logDir  string
	workDir string
	env     []string
	starter *starter
	died    chan error
	ended   chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool
	order   []string
	members map[string]*member
}

// member serializes what is done to one service.
type member struct {
	mu      sync.Mutex
	service Service
}

// NewGroup makes an empty group. Log files stand in logDir; processes run in
// workDir with env and nothing else of this process's environment. A group is
// ended by Close.
func NewGroup(logDir, workDir string, env []string) *Group {
	g := &Group{
		logDir:  logDir,
		workDir: workDir,
		env:     slices.Clone(env),
		starter: newStarter(),
		died:    make(chan error, 1),
		ended:   make(chan struct{}),
		members: map[string]*member{},
	}
	go trimLogs(logDir, g.ended)
	return g
}

// Run adds a process, starts it and waits until it is ready. A process that
// fails to start is not left running and not part of the group.
func (g *Group) Run(ctx context.Context, spec Spec) error {
	return g.Add(ctx, spec.Name, &process{spec: spec, group: g})
}

// Add adds a service, starts it and waits until it is ready. A service that
// fails to start is not part of the group.
func (g *Group) Add(ctx context.Context, name string, service Service) error {
	if name == "" || name != filepath.Base(name) {
		return fmt.Errorf("the component's name %q cannot name a log file: use letters, digits and dashes", name)
	}
	m := &member{service: service}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := g.enter(name, m); err != nil {
		return err
	}
	if err := service.Start(ctx); err != nil {
		g.leave(name)
		return err
	}
	return nil
}

func (g *Group) enter(name string, m *member) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return fmt.Errorf("%s cannot be added: the stack is stopped", name)
	}
	if _, taken := g.members[name]; taken {
		return fmt.Errorf("there is a component %s already: give the new one another name", name)
	}
	g.members[name] = m
	g.order = append(g.order, name)
	return nil
}

func (g *Group) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.members, name)
	g.order = slices.DeleteFunc(g.order, func(n string) bool { return n == name })
}

// Names lists the services in the order in which they were added.
func (g *Group) Names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.order)
}

// Start starts a stopped, killed or dead service again and waits until it is
// ready. A running one is left alone.
func (g *Group) Start(ctx context.Context, name string) error {
	return g.with(name, func(s Service) error {
		if s.Running() {
			return nil
		}
		return g.start(ctx, name, s)
	})
}

// Stop ends a service in good order; one that does not run is left alone.
func (g *Group) Stop(ctx context.Context, name string) error {
	return g.with(name, func(s Service) error { return s.Stop(ctx) })
}

// Kill ends a service as a crash would, and returns when it is gone.
func (g *Group) Kill(name string) error {
	return g.with(name, Service.Kill)
}

// Restart stops a service and starts it again.
func (g *Group) Restart(ctx context.Context, name string) error {
	return g.with(name, func(s Service) error {
		if err := s.Stop(ctx); err != nil {
			return err
		}
		return g.start(ctx, name, s)
	})
}

// start is called with the member locked, so that Close, which locks each
// member after it has marked the group as closed, cannot miss the service.
func (g *Group) start(ctx context.Context, name string, s Service) error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed {
		return fmt.Errorf("%s cannot be started: the stack is stopped", name)
	}
	return s.Start(ctx)
}

// Died yields an error that names a process, with the end of its log, when one
// ends that nobody stopped. Only the first is kept until it is read.
func (g *Group) Died() <-chan error { return g.died }

// Close stops all services, the last first, and ends the group. Services that
// ctx leaves no time for are killed.
func (g *Group) Close(ctx context.Context) error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	names := slices.Clone(g.order)
	g.mu.Unlock()

	var errs []error
	for _, name := range slices.Backward(names) {
		errs = append(errs, g.Stop(ctx, name))
	}
	g.starter.close()
	close(g.ended)
	return errors.Join(errs...)
}

// LogPath is where the output of the process of that name goes.
func (g *Group) LogPath(name string) string {
	return filepath.Join(g.logDir, name+".log")
}

func (g *Group) with(name string, do func(Service) error) error {
	g.mu.Lock()
	m, ok := g.members[name]
	names := slices.Clone(g.order)
	g.mu.Unlock()
	if !ok {
		return fmt.Errorf("there is no component %q: there are %q", name, names)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return do(m.service)
}
