// Package loopback knows which hosts are this machine: what is sent there does not
// leave it, so that plain HTTP may carry credentials to it.
package loopback

import (
	"net"
	"strings"
)

// Is tells whether a host, without its port, is this machine: localhost, or an
// address of the loopback network. No other name is, not even one below localhost:
// where it leads is up to whoever answers for names, and clusters do answer for
// some of those, with other machines.
func Is(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
