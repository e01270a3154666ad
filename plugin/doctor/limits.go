package doctor

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/plugin/container"
)

// What renders take, as manifests/argocd/argocd-repo-server.yaml states it.
const (
	minMemory = 256 << 20 // bytes
	// minFiles is the number of files that a render of a large monorepo opens,
	// with room.
	minFiles = 1024
)

// limits looks at what the container may use. Files are those of cgroup v2, then
// of v1.
func (s Sidecar) limits() []finding.Finding {
	l := finding.For(CheckLimits)
	s.memory(l)
	s.processor(l)
	s.ulimits(l)
	return l.All()
}

func (s Sidecar) memory(l *finding.List) {
	limit, known := container.Memory(s.at("/"))
	applies := fmt.Sprintf("%s at a time, and one may take %s",
		times(int64(container.Renders(limit, runtime.GOMAXPROCS(0))), "render runs", "renders run"), mebibytes(container.RenderLimit(limit)))
	switch {
	case !known:
		l.Warn("look at resources.limits of the container waybill", "the memory limit cannot be read: %s", applies)
	case limit == 0:
		l.Warn("set resources.limits.memory, as manifests/argocd/argocd-repo-server.yaml does", "there is no memory limit, and renders may take the repo-server's memory: %s", applies)
	case limit < minMemory:
		l.Warn("raise resources.limits.memory: 1Gi is what the manifests set", "the memory limit is %s: %s", mebibytes(limit), applies)
	default:
		l.OK("the memory limit is %s: %s", mebibytes(limit), applies)
	}
	if events, ok := s.first("/sys/fs/cgroup/memory.events"); ok {
		if killed, ok := number(fields(events, " ")["oom_kill"]); ok && killed > 0 {
			l.Warn("raise resources.limits.memory of the container waybill", "%s killed since the container started, because it had reached its memory limit", times(killed, "process was", "processes were"))
		}
	}
	if soft := s.Env["GOMEMLIMIT"]; soft != "" && limit > 0 {
		if bytes, ok := goBytes(soft); ok && bytes >= limit {
			l.Warn("unset it, or set it to a tenth of the limit: each render is a process of its own", "GOMEMLIMIT is %s, not below the container's limit of %s", soft, mebibytes(limit))
		}
	}
}

func (s Sidecar) processor(l *finding.List) {
	var quota, period int64
	var limited bool
	if text, ok := s.first("/sys/fs/cgroup/cpu.max"); ok {
		most, every, _ := strings.Cut(text, " ")
		quota, limited = number(most)
		period, _ = number(every)
	} else if text, ok := s.first("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); ok {
		quota, limited = number(text) // -1 for none
		every, _ := s.first("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
		period, _ = number(every)
	}
	if !limited || period == 0 {
		return
	}
	if quota < period {
		l.Warn("remove resources.limits.cpu of the container waybill, or set it to 1 at least: a render that takes longer than Argo CD's 60 s fails",
			"the CPU limit is %d%% of one CPU, which slows each render", quota*100/period)
		return
	}
	l.OK("the CPU limit is %.1f", float64(quota)/float64(period))
}

// ulimits looks at the limits that a process inherits (proc(5), limits).
func (s Sidecar) ulimits(l *finding.List) {
	text, err := s.read("/proc/self/limits")
	if err != nil {
		return
	}
	for line := range strings.Lines(text) {
		for _, limit := range []struct {
			name  string
			least int64
		}{
			{"Max open files", minFiles},
			{"Max address space", 1 << 30},
			{"Max file size", 256 << 20},
			{"Max cpu time", 600},
		} {
			rest, is := strings.CutPrefix(line, limit.name)
			words := strings.Fields(rest)
			if !is || len(words) == 0 {
				continue
			}
			if soft, ok := number(words[0]); ok && soft < limit.least {
				l.Warn("raise it where the container runtime sets it", "the limit %q is %d, and renders may need %d", strings.ToLower(limit.name), soft, limit.least)
			}
		}
	}
}

// goBytes reads a size as Go's runtime does (package runtime, GOMEMLIMIT).
func goBytes(text string) (int64, bool) {
	units := []struct {
		suffix string
		size   int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}
	for _, unit := range units {
		if digits, is := strings.CutSuffix(text, unit.suffix); is {
			n, ok := number(digits)
			return n * unit.size, ok && n < (1<<62)/unit.size
		}
	}
	return 0, false
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func times(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
