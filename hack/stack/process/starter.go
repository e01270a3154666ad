package process

import (
	"os/exec"
	"runtime"
	"sync"
)

// starter starts processes from one thread that lives as long as the group.
// Linux binds the signal that a child gets at its parent's death to the thread
// that made the child: a child started from an ordinary goroutine would be
// killed whenever the runtime ends that goroutine's thread.
type starter struct {
	requests chan startRequest
	once     sync.Once
}

type startRequest struct {
	command *exec.Cmd
	result  chan<- error
}

func newStarter() *starter {
	s := &starter{requests: make(chan startRequest)}
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		for request := range s.requests {
			request.result <- request.command.Start()
		}
	}()
	return s
}

func (s *starter) start(command *exec.Cmd) error {
	result := make(chan error, 1)
	s.requests <- startRequest{command, result}
	return <-result
}

// close ends the thread. Nothing may be started afterwards.
func (s *starter) close() {
	s.once.Do(func() { close(s.requests) })
}
