package registry

import (
	"errors"
	"net/http"
	"time"
)

// Host returns how a host is asked that is no registry, but for an answer of up to
// so many bytes: see [Registries.Transport].
func (r *Registries) Host(host, party string, insecure bool, maxBytes int64) http.RoundTripper {
	g := &guard{base: r.secure, pace: r.options.Pace, holds: r.holds, asked: host, party: party, local: Loopback(hostname(host)), maxBody: maxBytes}
	if insecure {
		g.base = r.insecure
	}
	return g
}

// Left is how long a host wants to be left alone; 0 for not at all.
func (r *Registries) Left(host string) time.Duration { return r.holds.left(host) }

// Paused tells of the error of a request that was not sent, because its host asked
// for a pause, how long that lasts.
func Paused(err error) (time.Duration, bool) {
	var h *held
	if errors.As(err, &h) {
		return h.left, true
	}
	return 0, false
}

// Plain tells whether a request was not sent because it would have gone over plain
// HTTP to another machine.
func Plain(err error) bool { return errors.Is(err, errPlain) || errors.Is(err, http.ErrSchemeMismatch) }

// Loopback tells whether a host, without its port, is this machine.
func Loopback(host string) bool { return loopback(host) }
