package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
	"github.com/waybill-cd/waybill/hack/stack/process"
)

// self is the path of the test's own binary.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func spec(name, role string, addresses ...string) process.Spec {
	s := process.Spec{
		Name: name,
		Path: self(),
		Args: addresses,
		Env:  []string{roleVariable + "=" + role},
	}
	if len(addresses) > 0 {
		s.Ready = process.HTTPReady(nil, "http://"+addresses[0])
	}
	return s
}

func newGroup(t *testing.T) *process.Group {
	t.Helper()
	group := process.NewGroup(t.TempDir(), t.TempDir(), []string{"GROUP=yes"})
	t.Cleanup(func() {
		if err := group.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return group
}

func addresses(t *testing.T, n int) []string {
	t.Helper()
	var ports loopback.Ports
	t.Cleanup(ports.Release)
	var all []string
	for range n {
		port, err := ports.Take()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s:%d", loopback.Address, port))
	}
	return all
}

// who asks the process at an address for its ID; it is empty when there is none.
func who(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	id, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(id)
}

func run(t *testing.T, group *process.Group, s process.Spec) {
	t.Helper()
	if err := group.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// patience is a minute: nothing takes a hundredth of it on a machine that does
// nothing else.
const patience = time.Minute

// eventually waits for what the kernel does in its own time.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in %s it did not come true that %s", patience, what)
		}
	}
}

func TestRunReturnsWhenTheProcessIsReadyAndKeepsItsLog(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	run(t, group, spec("web", "serve", at[0]))
	if who(t, at[0]) == "" {
		t.Error("the process does not answer")
	}
	log, err := group.Log("web")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("serving\n", string(log)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestProcessThatDiesAtItsStartIsNamedWithTheEndOfItsLog(t *testing.T) {
	group := newGroup(t)
	s := spec("web", "fail")
	s.Ready = func(context.Context) error { return errors.New("not yet") }
	err := group.Run(t.Context(), s)
	if err == nil {
		t.Fatal("a failed process is said to run")
	}
	for _, want := range []string{"web ended at its start (exit status 1)", "line 39\nthe disk is full"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 9\n") {
		t.Errorf("the error holds more than the end of the log:\n%v", err)
	}
	if names := group.Names(); len(names) > 0 {
		t.Errorf("the group holds %v", names)
	}
}

func TestTakenAddressIsToldFromOtherFailures(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", at[0])
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := spec("web", "serve", at[0])
	s.Ready = func(context.Context) error { return errors.New("not yet") }
	if err := group.Run(t.Context(), s); !errors.Is(err, process.ErrAddressInUse) {
		t.Errorf("error %v, want %v", err, process.ErrAddressInUse)
	}
}

func TestCanceledStartLeavesNoProcess(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := spec("web", "serve", at[0])
	s.Ready = func(context.Context) error {
		if who(t, at[0]) != "" {
			cancel()
		}
		return errors.New("never")
	}
	if err := group.Run(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if id := who(t, at[0]); id != "" {
		t.Errorf("process %s is left", id)
	}
}

func TestProcessGetsTheGroupsEnvironmentAndItsOwnAlone(t *testing.T) {
	t.Setenv("SECRET_OF_THE_CALLER", "x")
	group, at := newGroup(t), addresses(t, 1)
	run(t, group, spec("web", "environment", at[0]))
	log, err := group.Log("web")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"GROUP=yes", roleVariable + "=environment", "serving"}
	if diff := cmp.Diff(want, strings.Fields(string(log))); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestStopKillsAProcessThatDoesNotEndInItsGrace(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	s := spec("web", "stubborn", at[0])
	s.Grace = 50 * time.Millisecond
	run(t, group, s)
	if err := group.Stop(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if id := who(t, at[0]); id != "" {
		t.Errorf("process %s is left", id)
	}
}

func TestChildrenOfAProcessEndWithIt(t *testing.T) {
	for name, end := range map[string]func(*process.Group) error{
		"stop": func(g *process.Group) error { return g.Stop(context.Background(), "web") },
		"kill": func(g *process.Group) error { return g.Kill("web") },
	} {
		t.Run(name, func(t *testing.T) {
			group, at := newGroup(t), addresses(t, 2)
			run(t, group, spec("web", "parent", at...))
			eventually(t, "the child serves", func() bool { return who(t, at[1]) != "" })
			if err := end(group); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the child is gone", func() bool { return who(t, at[1]) == "" })
		})
	}
}

func TestKilledProcessIsStartedAgain(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	run(t, group, spec("web", "serve", at[0]))
	first := who(t, at[0])
	if err := group.Kill("web"); err != nil {
		t.Fatal(err)
	}
	if id := who(t, at[0]); id != "" {
		t.Fatalf("process %s is left", id)
	}
	if err := group.Start(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	second := who(t, at[0])
	if second == "" || second == first {
		t.Errorf("process %q answers after the start, the first was %s", second, first)
	}
	if err := group.Start(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if third := who(t, at[0]); third != second {
		t.Errorf("a running process was started again: %s, then %s", second, third)
	}
	if err := group.Restart(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if third := who(t, at[0]); third == "" || third == second {
		t.Errorf("process %q answers after the restart, the one before was %s", third, second)
	}
	select {
	case err := <-group.Died():
		t.Errorf("an end that was asked for is reported: %v", err)
	default:
	}
}

func TestDeathThatNobodyAskedForIsReported(t *testing.T) {
	group, at := newGroup(t), addresses(t, 1)
	run(t, group, spec("web", "serve", at[0]))
	var id int
	if _, err := fmt.Sscan(who(t, at[0]), &id); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-group.Died():
		if !strings.Contains(err.Error(), "web ended by itself (signal: killed); the last lines of its log:\nserving") {
			t.Errorf("error %v", err)
		}
	case <-time.After(patience):
		t.Fatalf("no report in %s", patience)
	}
	if err := group.Start(t.Context(), "web"); err != nil {
		t.Errorf("a dead process cannot be started again: %v", err)
	}
}

// recorder notes in which order services are stopped.
type recorder struct {
	name    string
	stopped *[]string
}

func (r recorder) Start(context.Context) error { return nil }
func (r recorder) Stop(context.Context) error  { *r.stopped = append(*r.stopped, r.name); return nil }
func (r recorder) Kill() error                 { return nil }
func (r recorder) Running() bool               { return true }

func TestCloseStopsTheLastFirstAndStartsNothingMore(t *testing.T) {
	group := newGroup(t)
	var stopped []string
	for _, name := range []string{"a", "b", "c"} {
		if err := group.Add(t.Context(), name, recorder{name, &stopped}); err != nil {
			t.Fatal(err)
		}
	}
	if err := group.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c", "b", "a"}, stopped); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if err := group.Restart(t.Context(), "a"); err == nil {
		t.Error("a closed group restarted a service")
	}
	if err := group.Run(t.Context(), spec("web", "serve")); err == nil {
		t.Error("a closed group started a process")
	}
}

func TestNamesAreUniqueAndNameALogFile(t *testing.T) {
	group := newGroup(t)
	var stopped []string
	if err := group.Add(t.Context(), "a", recorder{"a", &stopped}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "../a", "a/b"} {
		if err := group.Add(t.Context(), name, recorder{name, &stopped}); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if err := group.Kill("missing"); err == nil || !strings.Contains(err.Error(), `there is no component "missing": there are ["a"]`) {
		t.Errorf("error %v", err)
	}
}

func TestProcessDoesNotOutliveItsSupervisor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	at, dir := addresses(t, 1), t.TempDir()
	command := exec.CommandContext(t.Context(), self(), at[0], dir)
	command.Env = []string{roleVariable + "=supervisor"}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process serves", func() bool { return who(t, at[0]) != "" })
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // says that it was killed
	eventually(t, "the process is gone", func() bool { return who(t, at[0]) == "" })
	if _, err := os.Stat(filepath.Join(dir, "child.log")); err != nil {
		t.Errorf("its log is gone too: %v", err)
	}
}
