package pace

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/utils/lru"
)

const (
	maxHolds = 1000
	// MaxHold bounds what a host may ask for: a nonsense value must not silence
	// whoever needs it for good.
	MaxHold = 24 * time.Hour
)

// Holds remembers until when hosts want to be left alone: a key is a host, or
// whatever a host counts requests by. It may be used by several goroutines at a
// time.
type Holds[K comparable] struct {
	mu    sync.Mutex
	until *lru.Cache
}

// NewHolds makes Holds of nobody.
func NewHolds[K comparable]() *Holds[K] { return &Holds[K]{until: lru.New(maxHolds)} }

// Add takes the header Retry-After of an answer, see [RetryAfter], and returns how
// long the key is left alone now. What was asked for before is not cut short.
func (h *Holds[K]) Add(key K, header string) time.Duration {
	wait := RetryAfter(header, time.Now())
	h.mu.Lock()
	defer h.mu.Unlock()
	left := h.left(key)
	if wait > left {
		h.until.Add(key, time.Now().Add(wait))
	}
	return max(wait, left)
}

// Left is how long a key wants to be left alone; 0 for not at all.
func (h *Holds[K]) Left(key K) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left(key)
}

func (h *Holds[K]) left(key K) time.Duration {
	found, _ := h.until.Get(key)
	until, _ := found.(time.Time)
	return max(0, time.Until(until))
}

// RetryAfter reads the header Retry-After (RFC 9110, section 10.2.3): seconds, or
// a date of HTTP; at most [MaxHold]. Anything else asks for nothing.
func RetryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, MaxHold)
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), MaxHold)
	}
	return 0
}
