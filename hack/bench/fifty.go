package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/waybill-cd/waybill/plugin/container"
)

const (
	atOnce = 50
	// memoryAtOnce bounds what all of them have in memory together, in MiB.
	memoryAtOnce = 1024
)

// fiftyRenders asks for fifty renders at the same time, of kustomizations and
// charts in turn, with as many CPUs as that memory has room for renders: then most
// run at a time. Their memory is the sum of proportional shares (PSS), in which
// what processes share counts once.
func fiftyRenders(ctx context.Context, w *workshop) ([]figure, error) {
	if _, err := w.build(ctx, "waybill-plugin-chart", "./plugin/chart"); err != nil {
		return nil, err
	}
	kustomization := below("base", manyWorkloads())
	kustomization["base/kustomization.yaml"] = "resources: [deployment.yaml, service.yaml, many.yaml]\n"
	overlay, err := w.checkout("fifty", kustomization)
	if err != nil {
		return nil, err
	}
	chart, err := w.application("fifty-charts", below(shopPath, chartOfManyWorkloads()))
	if err != nil {
		return nil, err
	}
	paths := []string{overlay, chart}
	environment := append(w.environment(), "GOMAXPROCS="+strconv.Itoa(container.Renders(memoryAtOnce<<20, atOnce)))
	began := time.Now()
	var renders sync.WaitGroup
	failures := make(chan error, atOnce)
	var started []*exec.Cmd
	for i := range atOnce {
		command := exec.CommandContext(ctx, w.plugin, "generate")
		var stderr bytes.Buffer
		command.Dir, command.Env, command.Stderr = paths[i%len(paths)], environment, &stderr
		if err := command.Start(); err != nil {
			return nil, err
		}
		started = append(started, command)
		renders.Go(func() {
			if err := command.Wait(); err != nil {
				failures <- fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
			}
		})
	}
	ended := make(chan struct{})
	go func() { renders.Wait(); close(ended) }()
	peak := watch(started, ended)
	select {
	case err := <-failures:
		return nil, err
	default:
	}
	return []figure{
		{what: "peak memory", value: peak, limit: memoryAtOnce, unit: " MiB"},
		{what: "time until all have ended", value: time.Since(began).Seconds(), unit: " s"},
	}, nil
}

// watch returns the most memory that the processes had together until they
// ended, in MiB.
func watch(processes []*exec.Cmd, ended <-chan struct{}) float64 {
	const interval = 10 * time.Millisecond // to look costs time too
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var peak float64
	for {
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
		var sum float64
		for _, process := range processes {
			sum += share(process.Process.Pid)
		}
		peak = max(peak, sum)
	}
}

// share returns a process's proportional share of memory in MiB, 0 for one that
// has ended.
func share(pid int) float64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
			kibibytes, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return 0
			}
			return kibibytes / (1 << 10)
		}
	}
	return 0
}
