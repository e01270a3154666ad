package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// pairs is how many times two commands are run in turn.
const pairs = 60

// invocation is a command to measure. Its output is thrown away.
type invocation struct {
	Program string
	Args    []string
	Dir     string
	Env     []string
}

// cost is what one run took.
type cost struct {
	Wall time.Duration
	// Peak is the most memory that was resident, in bytes.
	Peak int64
}

// pair is one run of each command, right after one another, so that what else
// the machine does hits both.
type pair struct{ Ours, Theirs cost }

// paired runs two commands in turn, each first every other time, and once before
// so that their files are in memory. It does so from a process of its own: what a
// process had resident counts as its children's peak too (Linux, exec_mmap), so
// that the one who starts them must be small.
func paired(ctx context.Context, ours, theirs invocation) ([]pair, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal([2]invocation{ours, theirs})
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	runner := exec.CommandContext(ctx, self)
	runner.Env = append(os.Environ(), runnerVariable+"=pairs")
	runner.Stdin, runner.Stdout, runner.Stderr = bytes.NewReader(request), &stdout, &stderr
	if err := runner.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var all []pair
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	return all, nil
}

// runnerVariable makes this program the process that runs pairs.
const runnerVariable = "WAYBILL_BENCH_RUNNER"

func beRunner(in io.Reader, out io.Writer) int {
	err := runPairs(in, out)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runPairs(in io.Reader, out io.Writer) error {
	var both [2]invocation
	if err := json.NewDecoder(in).Decode(&both); err != nil {
		return err
	}
	all := make([]pair, 0, pairs)
	for i := range pairs + 1 {
		var costs [2]cost
		for j := range both {
			which := (i + j) % len(both)
			c, err := both[which].run()
			if err != nil {
				return err
			}
			costs[which] = c
		}
		if i > 0 {
			all = append(all, pair{costs[0], costs[1]})
		}
	}
	return json.NewEncoder(out).Encode(all)
}

func (v invocation) run() (cost, error) {
	var stderr bytes.Buffer
	command := exec.Command(v.Program, v.Args...)
	command.Dir, command.Env, command.Stderr = v.Dir, v.Env, &stderr
	began := time.Now()
	if err := command.Run(); err != nil {
		return cost{}, fmt.Errorf("%s: %w: %s", v.Program, err, bytes.TrimSpace(stderr.Bytes()))
	}
	wall := time.Since(began)
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return cost{}, errors.New("this system does not tell what a process used")
	}
	const kibibyte = 1 << 10 // Linux counts in these
	return cost{Wall: wall, Peak: usage.Maxrss * kibibyte}, nil
}

// compare makes figures of pairs: of the ratios in each pair the median, because
// one pair that was disturbed must not count.
func compare(all []pair, wallLimit, peakLimit float64) []figure {
	wall := func(c cost) float64 { return float64(c.Wall) / float64(time.Millisecond) }
	peak := func(c cost) float64 { return float64(c.Peak) / (1 << 20) }
	return []figure{
		ratio("wall time", "ms", all, wall, wallLimit),
		ratio("peak memory", "MiB", all, peak, peakLimit),
	}
}

func ratio(what, unit string, all []pair, of func(cost) float64, limit float64) figure {
	var ours, theirs, ratios []float64
	for _, p := range all {
		ours, theirs = append(ours, of(p.Ours)), append(theirs, of(p.Theirs))
		ratios = append(ratios, of(p.Ours)/of(p.Theirs))
	}
	return figure{
		what:   what,
		ours:   fmt.Sprintf("%.3g %s", median(ours), unit),
		theirs: fmt.Sprintf("%.3g %s", median(theirs), unit),
		value:  median(ratios),
		limit:  limit,
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
