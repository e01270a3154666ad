package registry

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

// Host returns how a host is asked that is no registry, for an answer of up to so
// many bytes: with the guard, the pace and the pauses of those that are. The party
// is who asks, where the context is not that of a look ([AsLook]).
func (r *Registries) Host(host, party string, insecure bool, maxBytes int64) http.RoundTripper {
	g := &guard{
		base: r.secure, pace: r.options.Pace, holds: r.holds, asked: host, party: party,
		local: loopback.Is(hostname(host)), insecure: insecure, maxBody: maxBytes,
	}
	if insecure {
		g.base = r.insecure
	}
	return g
}

// Left is how long a host wants to be left alone; 0 for not at all.
func (r *Registries) Left(host string, insecure bool) time.Duration {
	return r.holds.left(host, insecure)
}

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

// hostname takes the port off a host.
func hostname(host string) string {
	u := url.URL{Host: host}
	return u.Hostname()
}
