package slots

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The test binary plays a render: it waits for a slot, tells what happens on its
// standard output, and goes on when its standard input ends.
const (
	roleVariable  = "WAYBILL_SLOTS_TEST_ROLE"
	countVariable = "WAYBILL_SLOTS_TEST_COUNT"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "render":
		Take(os.TempDir(), count(), time.Hour)
		os.Stdout.WriteString("in\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "count":
		Take(os.TempDir(), count(), time.Hour)
		meet()
	case "become":
		slot := Take(os.TempDir(), count(), time.Hour)
		os.Stdout.WriteString("in\n")
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			panic(err)
		}
		self, err := os.Executable()
		if err == nil {
			err = os.Setenv(roleVariable, "render")
		}
		if err == nil {
			err = syscall.Exec(self, os.Args, slot.HandOver(os.Environ()))
		}
		panic(err)
	}
}

func count() int {
	n, err := strconv.Atoi(os.Getenv(countVariable))
	if err != nil {
		panic(err)
	}
	return n
}

// tally is memory that processes share.
type tally struct {
	inside atomic.Int32 // renders with a slot
	most   atomic.Int32 // of them at any time
	ended  atomic.Int32
}

func shared(file *os.File) *tally {
	data, err := syscall.Mmap(int(file.Fd()), 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*tally)(unsafe.Pointer(&data[0]))
}

// meet counts who is inside, and stays until as many have been inside together
// as may be.
func meet() {
	t := shared(os.NewFile(3, "tally"))
	inside := t.inside.Add(1)
	for most := t.most.Load(); inside > most && !t.most.CompareAndSwap(most, inside); most = t.most.Load() {
	}
	for t.most.Load() < int32(count()) {
		runtime.Gosched()
	}
	t.inside.Add(-1)
	t.ended.Add(1)
}

func command(t *testing.T, dir, role string, slots int) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), "TMPDIR="+dir, roleVariable+"="+role, countVariable+"="+strconv.Itoa(slots))
	c.Stderr = os.Stderr
	return c
}

func TestAsManyRenderAtATimeAsThereAreSlots(t *testing.T) {
	const renders, slots = 12, 3
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "tally"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range renders {
		c := command(t, dir, "count", slots)
		c.ExtraFiles = []*os.File{file}
		all.Go(func() {
			if err := c.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := shared(file)
	if most, ended := got.most.Load(), got.ended.Load(); most != slots || ended != renders {
		t.Errorf("%d rendered at a time and %d ended, want %d and %d", most, ended, slots, renders)
	}
}

// render is a process that waits or renders.
type render struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func start(t *testing.T, dir, role string, slots int) *render {
	t.Helper()
	c := command(t, dir, role, slots)
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r := &render{t: t, cmd: c, stdin: stdin, stdout: bufio.NewReader(stdout)}
	t.Cleanup(func() { stdin.Close(); _ = c.Wait() })
	return r
}

// in returns when the process has a slot.
func (r *render) in() {
	r.t.Helper()
	if line, err := r.stdout.ReadString('\n'); line != "in\n" {
		r.t.Fatalf("the render says %q: %v", line, err)
	}
}

// waits returns when the process sleeps on a lock.
func (r *render) waits() {
	r.t.Helper()
	for {
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			r.t.Skip("there is no list of locks here")
		}
		for line := range strings.Lines(string(locks)) {
			// 7: -> FLOCK ADVISORY WRITE <process> …
			if fields := strings.Fields(line); len(fields) > 5 && fields[1] == "->" && fields[5] == strconv.Itoa(r.cmd.Process.Pid) {
				return
			}
		}
		runtime.Gosched()
	}
}

func TestAKilledRenderGivesItsSlotBack(t *testing.T) {
	dir := t.TempDir()
	first, second := start(t, dir, "render", 2), start(t, dir, "render", 2)
	first.in()
	second.in()
	waiting, behind := start(t, dir, "render", 2), start(t, dir, "render", 2)
	waiting.waits()
	behind.waits()
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = second.stdout.ReadString('\n') // until it is gone
	got := make(chan *render, 2)
	for _, r := range []*render{waiting, behind} {
		go func() {
			if line, _ := r.stdout.ReadString('\n'); line == "in\n" {
				got <- r
			}
		}()
	}
	next := <-got
	// The other one waits for that one, or for the first.
	if err := next.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	<-got
}

func TestASlotGoesOverToWhatTheProcessBecomes(t *testing.T) {
	dir := t.TempDir()
	chart := start(t, dir, "become", 1)
	chart.in()
	waiting := start(t, dir, "render", 1)
	waiting.waits()
	if _, err := chart.stdin.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	next := make(chan *render, 2)
	for _, r := range []*render{chart, waiting} {
		go func() {
			if line, _ := r.stdout.ReadString('\n'); line == "in\n" {
				next <- r
			}
		}()
	}
	if <-next != chart {
		t.Fatal("the slot was given up when the process became another program")
	}
	waiting.waits()
	if err := chart.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	<-next
}

func TestWhereTheFolderCannotBeUsedNobodyWaits(t *testing.T) {
	for name, spoil := range map[string]func(folder string) error{
		"a file in its place":  func(folder string) error { return os.WriteFile(folder, nil, 0o600) },
		"open to others":       func(folder string) error { return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o777)) },
		"a link":               func(folder string) error { return os.Symlink(t.TempDir(), folder) },
		"a folder as the gate": func(folder string) error { return os.MkdirAll(filepath.Join(folder, "gate"), 0o700) },
		"a link as the gate": func(folder string) error {
			return errors.Join(os.Mkdir(folder, 0o700), os.Symlink("elsewhere", filepath.Join(folder, "gate")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := spoil(filepath.Join(dir, "waybill-plugin-slots-"+strconv.Itoa(os.Getuid()))); err != nil {
				t.Fatal(err)
			}
			if slot := Take(dir, 1, time.Hour); slot != nil {
				t.Error("a slot was taken")
			}
		})
	}
	if slot := Take(filepath.Join(t.TempDir(), "gone"), 1, time.Hour); slot != nil {
		t.Error("a slot was taken in a folder that is not there")
	}
	var none *Slot
	if environment := none.HandOver([]string{"A=b"}); len(environment) != 1 {
		t.Errorf("nothing is handed over as %q", environment)
	}
}

func TestWhoHasWaitedForLongEnoughRendersWithoutASlot(t *testing.T) {
	dir := t.TempDir()
	endless := start(t, dir, "render", 1)
	endless.in()
	slot := Take(dir, 1, time.Millisecond)
	if slot == nil || slot.fd != none {
		t.Fatalf("the slot is %+v, want none", slot)
	}
	environment := slot.HandOver(nil)
	if len(environment) != 1 {
		t.Fatalf("what the process becomes is told %q", environment)
	}
	// It does not wait again, and the next one gets the slot that is given back.
	t.Setenv(variable, strings.TrimPrefix(environment[0], variable+"="))
	if again := Take(dir, 1, time.Hour); again == nil || again.fd != none {
		t.Errorf("what the process becomes has %+v, want none", again)
	}
	if err := os.Unsetenv(variable); err != nil {
		t.Fatal(err)
	}
	next := start(t, dir, "render", 1)
	next.waits()
	if err := endless.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	next.in()
}
