package gitrepo

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/proxy/source/pace"
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

// account is whom a hold is for: hosts count by account.
type account struct {
	host string // in small letters: however it is written, it is one
	user string
}

func accountOf(req *http.Request) account {
	user, _, _ := req.BasicAuth()
	return account{strings.ToLower(req.URL.Host), user}
}

// enough is the error of a host's answer, where it has enough of an account: a
// *Busy.
func enough(holds *pace.Holds[account], of account, res *http.Response) error {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return nil
	}
	wait := holds.Add(of, res.Header.Get("Retry-After"))
	if wait <= 0 && res.StatusCode == http.StatusServiceUnavailable {
		return nil // out of order, like any other error of a server
	}
	return &Busy{wait}
}
