package stack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// processesIn finds the processes whose command line or working directory is in
// the folder: their IDs and command lines.
func processesIn(t *testing.T, folder string) map[int]string {
	t.Helper()
	found := map[int]string{}
	for id, command := range processes(t) {
		dir, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", id)) // empty where there is no /proc
		if strings.Contains(command, folder) || dir == folder || strings.HasPrefix(dir, folder+"/") {
			found[id] = command
		}
	}
	return found
}

// processes lists all, without the program ps where it need not be installed.
func processes(t *testing.T) map[int]string {
	t.Helper()
	found := map[int]string{}
	if files, _ := filepath.Glob("/proc/[0-9]*/cmdline"); len(files) > 0 {
		for _, file := range files {
			command, err := os.ReadFile(file)
			if err != nil {
				continue // it has ended
			}
			id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			found[id] = strings.ReplaceAll(string(command), "\x00", " ")
		}
		return found
	}
	out, err := exec.CommandContext(t.Context(), "ps", "-A", "-ww", "-o", "pid=,command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		id, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if id, err := strconv.Atoi(id); err == nil {
			found[id] = command
		}
	}
	return found
}
