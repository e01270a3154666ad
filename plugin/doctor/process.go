package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
)

// tokenFile is where Kubernetes mounts a ServiceAccount's token.
const tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// process looks at what the sidecar could do to others: all projects share it,
// and it reads what anybody commits.
func (s Sidecar) process() []finding.Finding {
	l := finding.For(CheckProcess)
	s.privileges(l)
	if mounts, ok := s.mounts(); ok {
		if options, found := mounts["/"]; found && !slices.Contains(strings.Split(options, ","), "ro") {
			l.Warn("set securityContext.readOnlyRootFilesystem: true of the container waybill", "the root file system can be written to")
		}
	}
	if s.exists(tokenFile) {
		l.Fail("set automountServiceAccountToken: false in the pod of argocd-repo-server, as Argo CD's own manifests do", "a ServiceAccount's token is mounted, and the plugin needs none")
	}
	if len(l.All()) == 0 {
		l.OK("user %d, no privileges, a read-only root file system, and no ServiceAccount's token", argocdUser)
	}
	return l.All()
}

// privileges reads what the kernel says of this process (proc(5), status).
func (s Sidecar) privileges(l *finding.List) {
	text, err := s.read("/proc/self/status")
	if err != nil {
		l.Warn("look at the securityContext of the container waybill", "the privileges of the process cannot be read: %v", err)
		return
	}
	status := fields(text, ":")
	var privileges []string
	if capabilities := strings.Trim(status["CapEff"], "0"); capabilities != "" {
		privileges = append(privileges, "capabilities (drop: [ALL])")
	}
	if status["NoNewPrivs"] == "0" {
		privileges = append(privileges, "the right to gain more (allowPrivilegeEscalation: false)")
	}
	if status["Seccomp"] == "0" {
		privileges = append(privileges, "every system call (seccompProfile: RuntimeDefault)")
	}
	if len(privileges) > 0 {
		l.Warn("set the securityContext of manifests/argocd/argocd-repo-server.yaml", "the process has %s", strings.Join(privileges, ", "))
	}
	users := strings.Fields(status["Uid"])
	if len(users) > 1 && users[1] != fmt.Sprint(argocdUser) {
		l.Fail("set securityContext.runAsUser: 999, the user of Argo CD's containers, with whom the socket is shared", "the process runs as user %s, not %d", users[1], argocdUser)
	}
}
