//go:build unix && !linux

package process

import "syscall"

// attributes puts a process into a group of its own, so that a signal reaches
// its children too.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
