// Package container knows what the container of the plugin may use, and which
// part of it a render takes.
package container

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// assumed is the limit where there is none, or none is told: what
	// manifests/argocd/argocd-repo-server.yaml sets, in bytes.
	assumed = 1 << 30
	// renderMemory is what one render has room in, in bytes: it takes 15 to 60 MiB
	// besides large manifests.
	renderMemory = 80 << 20
)

// Memory returns the memory limit of the container, in bytes: 0 where it has
// none. It is not known where the system does not tell. root is the folder of the
// system's files, "/" but in tests.
func Memory(root string) (limit int64, known bool) {
	for _, file := range []string{
		"sys/fs/cgroup/memory.max",                   // version 2 of cgroups
		"sys/fs/cgroup/memory/memory.limit_in_bytes", // version 1
	} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue
		}
		// For none, version 2 writes "max", and version 1 a number near the greatest
		// there is.
		const none = 1 << 60
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || limit < 0 || limit >= none {
			limit = 0
		}
		return limit, true
	}
	return 0, false
}

// Renders is how many renders should run at a time within a memory limit, 0 for
// none: as many as there are CPUs that the process may use, and as many as have
// room.
func Renders(memory int64, cpus int) int {
	return max(1, min(cpus, int(orAssumed(memory)/renderMemory)))
}

// RenderLimit bounds what one render may hold within a memory limit, 0 for none, in
// bytes: two that go that far leave room for the others.
func RenderLimit(memory int64) int64 {
	return max(renderMemory, orAssumed(memory)/8*3)
}

func orAssumed(memory int64) int64 {
	if memory == 0 {
		return assumed
	}
	return memory
}
