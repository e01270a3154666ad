package preview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/waybill-cd/waybill/proxy/argocd"
)

const (
	// maxOutput bounds manifests, in bytes. As objects they take some 15 times
	// as much.
	maxOutput  = 8 << 20
	maxErrors  = 16 << 10 // bytes that are kept of standard error
	afterDeath = time.Second
)

// errTime is for renders that nobody can wait for any longer. They are not
// remembered: the next try may be faster.
var errTime = errors.New("the preview took too long: try again")

// child runs the plugin in a folder. It is given these variables and none of
// this process's own, and its output, time and memory are bounded. The error is
// a *Refusal where the plugin tells why it does not render.
func (r *Renderer) child(ctx context.Context, dir string, environment []string, input io.Reader, command string) ([]byte, error) {
	running, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	out, told := &bounded{left: maxOutput}, &bounded{left: maxErrors, drop: true}
	cmd := exec.CommandContext(running, r.options.Plugin, command) //nolint:gosec // the binary is the installation's
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append([]string{}, environment...), input
	cmd.Stdout, cmd.Stderr = out, told
	cmd.WaitDelay = afterDeath
	err := cmd.Start()
	if err == nil {
		unlimited := r.limit(cmd.Process, r.options.MaxMemory)
		if unlimited != nil {
			cancel()
		}
		err = cmd.Wait()
		if unlimited != nil {
			return nil, fmt.Errorf("nothing is previewed, because the system does not bound the memory of the plugin (%s): allow the proxy the system call prlimit64", cause(unlimited))
		}
	}
	children.WithLabelValues(command).Inc()
	var exit *exec.ExitError
	switch {
	case out.full:
		return nil, refuse("its manifests are larger than %d MiB, more than a preview shows: split the Application", maxOutput>>20)
	case err == nil:
		return out.kept.Bytes(), nil
	case ctx.Err() != nil:
		return nil, errTime
	case running.Err() != nil:
		return nil, errTime
	case errors.As(err, &exit):
		if sentence := argocd.FirstLine(outOfMemory(told.kept.String(), r.options.MaxMemory)); sentence != "" && exit.Exited() {
			return nil, &Refusal{sentence}
		}
		return nil, errors.New("the plugin was ended while it rendered: try again, and give the proxy more memory if it happens again")
	}
	return nil, errors.New("the plugin cannot be started: " + cause(err))
}

// cause returns an error without the path that it names.
func cause(err error) string {
	for unwrapped := errors.Unwrap(err); unwrapped != nil; unwrapped = errors.Unwrap(err) {
		err = unwrapped
	}
	return err.Error()
}

// bounded keeps what is written to it, up to a bound. Beyond, it fails, or drops
// the rest. It embeds no buffer, whose ReadFrom knows no bound.
type bounded struct {
	kept bytes.Buffer
	left int
	drop bool
	full bool
}

var errFull = errors.New("too much output")

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	part := p[:min(len(p), b.left)]
	b.left -= len(part)
	_, _ = b.kept.Write(part) // appends to memory, and never fails
	if len(part) < len(p) && !b.drop {
		b.full = true
		return len(part), errFull
	}
	return len(p), nil
}
