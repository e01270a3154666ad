// Package pair runs two commands in turn and tells what each run took.
package pair

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Runs is how many times two commands are run in turn.
const Runs = 60

// Invocation is a command to measure. Its output is thrown away.
type Invocation struct {
	Program string
	Args    []string
	Dir     string
	Env     []string
}

// Cost is what one run took.
type Cost struct {
	Wall time.Duration
	// Peak is the most memory that was resident, in bytes.
	Peak int64
}

// Pair is one run of each command, right after one another, so that what else
// the machine does hits both.
type Pair struct{ Ours, Theirs Cost }

// Run reads two invocations as JSON, runs them in turn, each first every other
// time, and once before so that their files are in memory, and writes the pairs
// as JSON.
func Run(in io.Reader, out io.Writer) error {
	var both [2]Invocation
	if err := json.NewDecoder(in).Decode(&both); err != nil {
		return err
	}
	all := make([]Pair, 0, Runs)
	for i := range Runs + 1 {
		var costs [2]Cost
		for j := range both {
			which := (i + j) % len(both)
			c, err := both[which].run()
			if err != nil {
				return err
			}
			costs[which] = c
		}
		if i > 0 {
			all = append(all, Pair{costs[0], costs[1]})
		}
	}
	return json.NewEncoder(out).Encode(all)
}

func (v Invocation) run() (Cost, error) {
	var stderr bytes.Buffer
	command := exec.Command(v.Program, v.Args...)
	command.Dir, command.Env, command.Stderr = v.Dir, v.Env, &stderr
	began := time.Now()
	if err := command.Run(); err != nil {
		return Cost{}, fmt.Errorf("%s: %w: %s", v.Program, err, bytes.TrimSpace(stderr.Bytes()))
	}
	wall := time.Since(began)
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return Cost{}, errors.New("this system does not tell what a process used")
	}
	const kibibyte = 1 << 10 // Linux counts in these
	return Cost{Wall: wall, Peak: usage.Maxrss * kibibyte}, nil
}
