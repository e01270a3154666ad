package doctor

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/parameters"
)

const (
	// plugin is the name of the plugin, which Applications write.
	plugin       = parameters.Plugin
	socketSuffix = ".sock"
	// argocdUser is the user of all of Argo CD's containers.
	argocdUser = 999

	connectTimeout = 2 * time.Second
)

// socket looks at the folder through which the repo-server reaches plugins: it
// takes plugin.name for the name of a socket there, literally (argo-cd,
// util/app/discovery).
func (s Sidecar) socket(ctx context.Context) []finding.Finding {
	l := finding.For(CheckSocket)
	entries, err := s.list(s.sockets())
	if err != nil {
		l.Fail("mount the volume plugins there, as manifests/argocd/argocd-repo-server.yaml does", "the folder of sockets, %s, cannot be listed: %v", s.sockets(), err)
		return l.All()
	}
	own := false
	var versioned, others, strange []string
	for _, entry := range entries {
		name, isSocket := strings.CutSuffix(entry.Name(), socketSuffix)
		switch {
		case !isSocket || entry.Type()&fs.ModeSocket == 0:
			strange = append(strange, entry.Name())
		case name == plugin:
			own = true
		case strings.HasPrefix(name, plugin+"-"):
			versioned = append(versioned, name)
		default:
			others = append(others, name)
		}
	}
	if own {
		s.connect(ctx, l)
	} else {
		l.Fail("argocd-cmp-server makes it when it starts: read what it says, kubectl logs -c waybill",
			"there is no socket %s%s in %s, so that no Application finds the plugin", plugin, socketSuffix, s.sockets())
	}
	if len(versioned) > 0 {
		l.Warn("remove spec.version from plugin.yaml and restart argocd-repo-server, unless these are plugins of other products",
			"there is a socket with a version in its name, which Applications would have to write as plugin.name: %s", finding.Names(versioned))
	}
	if len(strange) > 0 {
		l.Warn("remove it: Argo CD takes every socket in this folder for a plugin", "beside the sockets of plugins there is %s", finding.Names(strange))
	}
	if len(others) > 0 {
		l.OK("other plugins beside it: %s", finding.Names(others))
	}
	return l.All()
}

// connect tells whether somebody answers at the plugin's socket, and whether the
// repo-server may.
func (s Sidecar) connect(ctx context.Context, l *finding.List) {
	file := s.at(path.Join(s.sockets(), plugin+socketSuffix))
	if info, err := os.Stat(file); err == nil {
		const others = 0o002 // to connect takes the right to write
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != argocdUser && info.Mode().Perm()&others == 0 {
			l.Fail("run the sidecar with runAsUser: 999, as Argo CD's own containers",
				"the socket belongs to user %d, and the repo-server, user %d, may not connect to it", stat.Uid, argocdUser)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", file)
	if err != nil {
		l.Fail("restart the pod of argocd-repo-server: an argocd-cmp-server that was killed leaves its socket behind", "nobody answers at the socket %s%s: %v", plugin, socketSuffix, reason(err))
		return
	}
	_ = connection.Close()
	l.OK("argocd-cmp-server answers at the socket %s%s", plugin, socketSuffix)
}

// reason is the error of a connection without the address, which is told already.
func reason(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err
		}
		err = inner.Unwrap()
	}
}
