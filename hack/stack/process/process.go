package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// readyTimeout bounds the start of one process.
	readyTimeout = 2 * time.Minute
	// readyTry bounds one look at whether a process is ready.
	readyTry = 5 * time.Second
	// readyInterval is the pause between two looks.
	readyInterval = 50 * time.Millisecond
)

// process is a Service that runs a Spec.
type process struct {
	spec  Spec
	group *Group

	mu      sync.Mutex
	current *run
}

// run is one life of a process.
type run struct {
	pid     int
	done    chan struct{} // closed when the process is gone
	err     error         // how it ended; valid once done is closed
	serving bool          // whether it became ready
	stopped bool          // whether somebody asked for the end
}

// Start implements Service.
func (p *process) Start(ctx context.Context) error {
	r, err := p.launch()
	if err != nil {
		return err
	}
	if err := p.awaitReady(ctx, r); err != nil {
		return errors.Join(err, p.Kill())
	}
	return nil
}

func (p *process) launch() (*run, error) {
	logFile, err := os.OpenFile(p.group.LogPath(p.spec.Name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", p.spec.Name, err)
	}
	// The child has its own copy.
	defer logFile.Close()

	command := exec.Command(p.spec.Path, p.spec.Args...)
	command.Env = append(slices.Clone(p.group.env), p.spec.Env...)
	command.Dir = p.spec.Dir
	if command.Dir == "" {
		command.Dir = p.group.workDir
	}
	command.Stdout, command.Stderr = logFile, logFile
	command.SysProcAttr = attributes()
	if err := p.group.starter.start(command); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.spec.Name, err)
	}

	r := &run{pid: command.Process.Pid, done: make(chan struct{})}
	p.mu.Lock()
	p.current = r
	p.mu.Unlock()
	go p.reap(command, r)
	return r, nil
}

// reap waits for the end of a life, and reports one that nobody asked for.
func (p *process) reap(command *exec.Cmd, r *run) {
	err := command.Wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	// What the process started must not outlive it.
	_ = signalGroup(r.pid, syscall.SIGKILL)
	p.mu.Lock()
	r.err = err
	surprise := r.serving && !r.stopped
	close(r.done)
	p.mu.Unlock()
	if !surprise {
		return // whoever stopped it, or waits for its start, knows
	}
	select {
	case p.group.died <- &DeathError{Name: p.spec.Name, err: p.failure(fmt.Sprintf("ended by itself (%v)", err))}:
	default: // an earlier death has not been read yet
	}
}

func (p *process) awaitReady(ctx context.Context, r *run) error {
	if p.spec.Ready == nil {
		return p.serve(r)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		err := p.try(ctx)
		if err == nil {
			return p.serve(r)
		}
		select {
		case <-r.done:
			return p.startFailure(r)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("waiting for %s: %w", p.spec.Name, ctx.Err())
			}
			return p.failure(fmt.Sprintf("did not become ready in time (last look: %v)", err))
		case <-tick.C:
		}
	}
}

func (p *process) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTry)
	defer cancel()
	return p.spec.Ready(ctx)
}

// serve notes that a life is ready; from now on its end is reported to the
// group instead of to the caller of Start.
func (p *process) serve(r *run) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ended() {
		return p.startFailure(r)
	}
	r.serving = true
	return nil
}

func (p *process) startFailure(r *run) error {
	return p.failure(fmt.Sprintf("ended at its start (%v)", r.err))
}

// Stop implements Service.
func (p *process) Stop(ctx context.Context) error {
	r := p.asked()
	if r == nil {
		return nil
	}
	if err := signalGroup(r.pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping %s: %w", p.spec.Name, err)
	}
	grace := p.spec.Grace
	if grace == 0 {
		grace = DefaultGrace
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-r.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return p.Kill()
}

// Kill implements Service.
func (p *process) Kill() error {
	r := p.asked()
	if r == nil {
		return nil
	}
	if err := signalGroup(r.pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", p.spec.Name, err)
	}
	<-r.done
	return nil
}

// asked returns the current life, marked as one that is to end, or nil when
// there is none.
func (p *process) asked() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || p.current.ended() {
		return nil
	}
	p.current.stopped = true
	return p.current
}

// Running implements Service.
func (p *process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil && !p.current.ended()
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// signalGroup signals a process and its children. A group that is gone is no
// error, nor is one of which only zombies are left (EPERM on some systems).
func signalGroup(pid int, signal syscall.Signal) error {
	err := syscall.Kill(-pid, signal)
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EPERM) {
		return nil
	}
	return err
}
