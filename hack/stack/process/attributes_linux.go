package process

import "syscall"

// attributes puts a process into a group of its own, so that a signal reaches
// its children too, and has the kernel end it when this process dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
