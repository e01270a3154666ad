package registry

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/proxy/source/pace"
)

// holds remembers until when hosts want to be left alone. Who answers without
// being checked does not tell how long a host that is checked is left alone.
type holds struct{ of *pace.Holds[asked] }

type asked struct {
	host     string // in small letters: however it is written, it is one
	insecure bool
}

func newHolds() *holds { return &holds{pace.NewHolds[asked]()} }

// add takes a host's Retry-After.
func (h *holds) add(host string, insecure bool, retryAfter string) {
	h.of.Add(asked{strings.ToLower(host), insecure}, retryAfter)
}

// left is how long a host still wants to be left alone; 0 for not at all.
func (h *holds) left(host string, insecure bool) time.Duration {
	host = strings.ToLower(host)
	left := h.of.Left(asked{host, false})
	if insecure {
		left = max(left, h.of.Left(asked{host, true}))
	}
	return left
}

// held is the error of a request that was not sent.
type held struct{ left time.Duration }

func (h *held) Error() string {
	return fmt.Sprintf("the host asked to be left alone for %s more", h.left.Round(time.Second))
}
