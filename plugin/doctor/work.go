package doctor

import (
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/waybill-cd/waybill/extension/finding"
)

// repoServerTraces are what the repo-server leaves in its own /tmp
// (argo-cd, cmd/argocd-repo-server and common).
var repoServerTraces = []string{"_argocd-repo", "reposerver-ask-pass.sock"}

// minFree is the room that checkouts should find, in bytes.
const minFree = 256 << 20

// work looks at the folder that checkouts are unpacked into.
func (s Sidecar) work() []finding.Finding {
	l := finding.For(CheckWork)
	folder := s.tmp()
	file, err := os.CreateTemp(s.at(folder), "waybill-doctor-")
	if err != nil {
		l.Fail("mount an emptyDir of its own at /tmp, as manifests/argocd/argocd-repo-server.yaml does",
			"nothing can be written to %s, where Argo CD unpacks checkouts: %v", folder, cause(err))
		return l.All()
	}
	_ = file.Close()
	_ = os.Remove(file.Name())

	shared := false
	for _, trace := range repoServerTraces {
		shared = shared || s.exists(path.Join(folder, trace))
	}
	if shared {
		l.Fail("mount an emptyDir of its own there: the repo-server's holds checkouts and credentials of every project", "%s is the repo-server's own", folder)
	}
	if mounts, ok := s.mounts(); ok && !shared {
		if _, own := mounts[folder]; !own {
			l.Warn("mount an emptyDir at "+folder, "%s is no volume: what is unpacked there grows the container", folder)
		}
	}
	var space syscall.Statfs_t
	if err := syscall.Statfs(s.at(folder), &space); err == nil {
		if free := int64(space.Bavail) * int64(space.Bsize); free < minFree { //nolint:gosec,unconvert // room on a disk
			l.Warn("give the volume more room: each render unpacks what Argo CD sends", "%s has room for %s alone", folder, mebibytes(free))
		}
	}
	if len(l.All()) == 0 {
		l.OK("%s can be written to, and is the sidecar's own", folder)
	}
	return l.All()
}

// mounts returns the options of each mount by its path (proc(5), mountinfo).
func (s Sidecar) mounts() (options map[string]string, ok bool) {
	text, err := s.read("/proc/self/mountinfo")
	if err != nil {
		return nil, false
	}
	options = map[string]string{}
	for line := range strings.Lines(text) {
		const where, how = 4, 5
		if words := strings.Fields(line); len(words) > how {
			options[words[where]] = words[how]
		}
	}
	return options, len(options) > 0
}
