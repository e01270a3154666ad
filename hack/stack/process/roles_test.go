package process_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/waybill-cd/waybill/hack/stack/process"
)

// roleVariable turns the test's own binary into one of the processes under test.
const roleVariable = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	role, ok := roles()[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func roles() map[string]func(args []string) error {
	return map[string]func([]string) error{
		"serve":    serve,
		"stubborn": func(args []string) error { signal.Ignore(syscall.SIGTERM); return serve(args) },
		"parent":   parent,
		"fail": func([]string) error {
			for i := range 40 {
				fmt.Println("line", i)
			}
			return errors.New("the disk is full")
		},
		"environment": func(args []string) error { fmt.Println(strings.Join(os.Environ(), "\n")); return serve(args) },
		"supervisor":  supervisor,
	}
}

// serve says on its port which process it is.
func serve(args []string) error {
	fmt.Println("serving")
	return http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, os.Getpid())
	}))
}

// parent serves, and so does a child of it that it never ends.
func parent(args []string) error {
	child := exec.Command(self(), args[1])
	child.Env = []string{roleVariable + "=stubborn"}
	if err := child.Start(); err != nil {
		return err
	}
	return serve(args)
}

// supervisor runs a process in a group until somebody kills it.
func supervisor(args []string) error {
	group := process.NewGroup(args[1], args[1], nil)
	if err := group.Run(context.Background(), spec("child", "serve", args[0])); err != nil {
		return err
	}
	select {}
}
