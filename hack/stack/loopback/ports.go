// Package loopback chooses ports on 127.0.0.1 and serves HTTP there.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Address is the only address that the stack listens on.
const Address = "127.0.0.1"

// Ports are taken from below the range out of which Linux and macOS serve
// connections and listeners without a port, so that no such one can slip in
// between the choice of a port and its use.
const (
	firstPort = 20000
	lastPort  = 32000
)

// Ports are free TCP ports, each reserved until Release. A reservation is a UDP
// socket on the port of the same number: stacks that choose at the same time see
// each other's, and the process that the port is for can listen on TCP. The zero
// value is ready to use.
type Ports struct {
	mu    sync.Mutex
	holds []net.PacketConn
}

// Take reserves a free port.
func (p *Ports) Take() (int, error) {
	const tries = 200
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if p.reserve(port) == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d on %s was found in %d tries", firstPort, lastPort, Address, tries)
}

// Fix reserves the port that somebody asks for by number.
func (p *Ports) Fix(port int) error {
	if err := p.reserve(port); err != nil {
		return fmt.Errorf("port %d on %s is taken (%w): stop what listens there, or choose another port", port, Address, err)
	}
	return nil
}

func (p *Ports) reserve(port int) error {
	address := fmt.Sprintf("%s:%d", Address, port)
	hold, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, hold.Close())
	}
	if err := listener.Close(); err != nil {
		return errors.Join(err, hold.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, hold)
	return nil
}

// Release gives all ports back.
func (p *Ports) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, hold := range p.holds {
		_ = hold.Close()
	}
	p.holds = nil
}
