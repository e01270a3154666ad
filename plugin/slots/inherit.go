package slots

import (
	"os"
	"strconv"
	"syscall"
)

// variable carries a slot over to the program that the process becomes: the
// number of its file, or that of no file where the process has waited in vain.
const variable = "WAYBILL_PLUGIN_SLOT"

// HandOver makes the slot pass on to the program that the process becomes next
// by exec, and returns the environment that tells it so. Without this the lock
// would end there, and the program wait again, behind all who came meanwhile.
func (s *Slot) HandOver(environment []string) []string {
	if s == nil || s.fd != none && setCloseOnExec(s.fd, 0) != nil {
		return environment
	}
	return append(environment, variable+"="+strconv.Itoa(s.fd))
}

// inherit returns the slot that was handed over, if any.
func inherit() *Slot {
	fd, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || fd != none && setCloseOnExec(fd, syscall.FD_CLOEXEC) != nil {
		return nil
	}
	return &Slot{fd: fd}
}

func setCloseOnExec(fd int, flag uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, flag); errno != 0 {
		return errno
	}
	return nil
}
