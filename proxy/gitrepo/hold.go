package gitrepo

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"k8s.io/utils/lru"
)

// Busy is what an error is, with errors.As, where the host of a repository has
// enough of an account's requests. Until it is over, none is sent.
type Busy struct {
	// RetryAfter is how long the host wants to be left alone; 0 where it does not
	// say.
	RetryAfter time.Duration
}

func (b *Busy) Error() string {
	if b.RetryAfter <= 0 {
		return "the host has enough of requests"
	}
	return fmt.Sprintf("the host wants to be left alone for %s", b.RetryAfter.Round(time.Second))
}

// remedy is what people read of it.
func (b *Busy) remedy() string {
	if b.RetryAfter <= 0 {
		return "try again later"
	}
	return fmt.Sprintf("try again in %s, as it asks", b.RetryAfter.Round(time.Second))
}

const (
	maxHolds = 1000
	// maxHold bounds what a host may ask for: a nonsense value must not silence
	// a repository for good.
	maxHold = 24 * time.Hour
)

// holds remembers until when hosts want to be left alone, each by an account of
// it: hosts count by account.
type holds struct{ until *lru.Cache }

func newHolds() *holds { return &holds{lru.New(maxHolds)} }

type account struct{ host, user string }

func accountOf(req *http.Request) account {
	user, _, _ := req.BasicAuth()
	return account{req.URL.Host, user}
}

// left is how long an account has still to wait.
func (h *holds) left(a account) time.Duration {
	found, _ := h.until.Get(a)
	until, _ := found.(time.Time)
	return max(0, time.Until(until))
}

// note takes a host's answer: a *Busy where it has enough.
func (h *holds) note(a account, res *http.Response) error {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return nil
	}
	wait := retryAfter(res.Header.Get("Retry-After"), time.Now())
	if wait > 0 {
		h.until.Add(a, time.Now().Add(wait))
	} else if res.StatusCode == http.StatusServiceUnavailable {
		return nil // out of order, like any other error of a server
	}
	return &Busy{wait}
}

// retryAfter reads the header: seconds, or a date of HTTP. Anything else asks for
// nothing.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxHold)
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), maxHold)
	}
	return 0
}
