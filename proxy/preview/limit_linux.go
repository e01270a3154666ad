package preview

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// limit bounds the memory that a process may write to. A program in Go reserves
// much more addresses than it uses, so those are not counted. A process that has
// ended needs no limit.
func limit(p *os.Process, bytes uint64) error {
	err := unix.Prlimit(p.Pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// outOfMemory puts in the place of what Go's runtime says when it is given no
// more memory what people can do about it.
func outOfMemory(told string, bytes uint64) string {
	if strings.Contains(told, "cannot allocate") || strings.Contains(told, "out of memory") {
		return fmt.Sprintf("it takes more than %d MiB to render: split the Application", bytes>>20)
	}
	return told
}
