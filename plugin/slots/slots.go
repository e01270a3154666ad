// Package slots lets only so many renders run at a time, because Argo CD bounds
// its own renders but not those of plugins: it gives its permit back as soon as
// the checkout is packed (argo-cd, reposerver/repository, runManifestGen).
//
// A slot is a file in a folder, locked as long as a render runs. Locks belong to
// processes, and the kernel gives back those of one that was killed. Who waits
// sleeps in the kernel.
//
// To wait is thrift, not safety: where the folder cannot be used, nobody waits,
// and who has waited for long enough renders without a slot. So no render keeps
// the others from theirs, however long it takes.
package slots

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Patience is how long a render waits for a slot: Argo CD gives it a minute in all
// (the controller's --repo-server-timeout-seconds), of which packing and rendering
// need the most.
const Patience = 10 * time.Second

// Slot is the right to render. It ends with the process, unless it is handed
// over. A nil Slot is that of somebody who could not wait.
type Slot struct {
	fd int // of the locked file, or none
}

// none stands for the file of who has waited in vain.
const none = -1

// Take waits for one of count slots, in the order of arrival, and no longer than
// patience. The folder is made below dir, for the user alone.
func Take(dir string, count int, patience time.Duration) *Slot {
	if inherited := inherit(); inherited != nil {
		return inherited
	}
	taken, left := make(chan *Slot), make(chan struct{})
	go func() {
		slot := take(dir, count)
		select {
		case taken <- slot:
		case <-left:
			slot.release()
		}
	}()
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case slot := <-taken:
		return slot
	case <-enough.C:
		close(left)
		return &Slot{fd: none}
	}
}

func take(dir string, count int) *Slot {
	folder := filepath.Join(dir, "waybill-plugin-slots-"+strconv.Itoa(os.Getuid()))
	if err := prepare(folder); err != nil {
		return nil
	}
	// Who has the gate waits for a slot, the others wait for the gate.
	gate, err := open(filepath.Join(folder, "gate"))
	if err != nil {
		return nil
	}
	defer syscall.Close(gate) // and with it the lock
	if err := lock(gate, syscall.LOCK_EX); err != nil {
		return nil
	}
	files := make([]string, count)
	for i := range files {
		files[i] = filepath.Join(folder, strconv.Itoa(i))
	}
	fd, err := first(files)
	if err != nil {
		return nil
	}
	return &Slot{fd: fd}
}

// release gives back what nobody waits for any more.
func (s *Slot) release() {
	if s != nil {
		_ = syscall.Close(s.fd)
	}
}

// prepare makes the folder, and refuses one that somebody else could hold the
// locks of.
func prepare(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return errors.New("the folder is somebody else's")
	}
	return nil
}

// first locks one of the files, whichever is free first.
func first(files []string) (int, error) {
	for _, file := range files {
		fd, err := open(file)
		if err != nil {
			return 0, err
		}
		if err := lock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return fd, nil
		}
		_ = syscall.Close(fd)
	}
	type outcome struct {
		fd  int
		err error
	}
	outcomes, done := make(chan outcome), make(chan struct{})
	defer close(done)
	for _, file := range files {
		go func() {
			fd, err := open(file)
			if err == nil {
				err = lock(fd, syscall.LOCK_EX)
			}
			select {
			case outcomes <- outcome{fd, err}:
			case <-done:
				_ = syscall.Close(fd) // another was free before
			}
		}()
	}
	got := <-outcomes
	return got.fd, got.err
}

func open(path string) (int, error) {
	return syscall.Open(path, syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
}

func lock(fd, how int) error {
	for {
		if err := syscall.Flock(fd, how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
