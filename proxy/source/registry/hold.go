package registry

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"k8s.io/utils/lru"
)

const (
	maxHosts = 1000
	// maxHold bounds what a host may ask for: a nonsense value must not silence
	// a warehouse for good.
	maxHold = 24 * time.Hour
)

// holds remembers until when hosts want to be left alone.
type holds struct{ until *lru.Cache }

func newHolds() *holds { return &holds{lru.New(maxHosts)} }

// add takes a host's Retry-After: seconds, or a date of HTTP. Anything else
// asks for nothing.
func (h *holds) add(host, retryAfter string) {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(retryAfter, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(retryAfter); err == nil {
		wait = time.Until(date)
	}
	if wait > 0 {
		h.until.Add(host, time.Now().Add(min(wait, maxHold)))
	}
}

// left is how long a host still wants to be left alone; 0 for not at all.
func (h *holds) left(host string) time.Duration {
	if found, ok := h.until.Get(host); ok {
		if until, ok := found.(time.Time); ok {
			return max(0, time.Until(until))
		}
	}
	return 0
}

// held is the error of a request that was not sent.
type held struct{ left time.Duration }

func (h *held) Error() string {
	return fmt.Sprintf("the host asked to be left alone for %s more", h.left.Round(time.Second))
}
