// Package doctor looks at the sidecar that the plugin runs in, from within, and
// tells what keeps renders from working, from being fast, or from being safe.
//
// It only looks: it makes one file in the work folder and removes it, connects
// to the plugin's socket without asking it anything, and starts the chart binary
// for its version. All that it reads is bounded, and nothing that may be secret
// is told.
package doctor

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/waybill-cd/waybill/extension/finding"
)

// The checks, in the order in which they are told.
const (
	CheckSocket        = "socket"
	CheckConfiguration = "configuration"
	CheckChart         = "chart binary"
	CheckWork          = "work folder"
	CheckLimits        = "limits"
	CheckProcess       = "process"
)

// The folders of the sidecar where no variable names others (argo-cd, common).
const (
	defaultSockets = "/home/argocd/cmp-server/plugins"
	configFolder   = "/home/argocd/cmp-server/config"
	defaultTmp     = "/tmp"
)

// What names other folders (argo-cd, common).
const (
	envSockets = "ARGOCD_PLUGINSOCKFILEPATH"
	envWork    = "ARGOCD_CMP_WORKDIR"
	envTmp     = "TMPDIR"
)

// Sidecar is where the doctor looks.
type Sidecar struct {
	Env map[string]string
	// Version is the plugin's own.
	Version string
	// Self is the path of the program that runs.
	Self string

	// root is put before absolute paths; empty for the machine's own.
	root string
}

// Examine returns what there is to say of a sidecar, in the order of the checks.
// Outside of a sidecar that is one warning, since everything would be missing.
func Examine(ctx context.Context, s Sidecar) []finding.Finding {
	if !s.exists(s.sockets()) && !s.exists(configFolder) {
		l := finding.For(CheckSocket)
		l.Warn("to look at the sidecar, run kubectl exec -n argocd deploy/argocd-repo-server -c waybill -- waybill-plugin doctor",
			"this is not the plugin's sidecar: it has neither a folder of sockets nor one of the plugin's configuration")
		return l.All()
	}
	return slices.Concat(s.socket(ctx), s.configuration(), s.chart(ctx), s.work(), s.limits(), s.process())
}

// at returns where an absolute path of the sidecar is found.
func (s Sidecar) at(path string) string { return filepath.Join("/", s.root, path) }

func (s Sidecar) exists(path string) bool {
	_, err := os.Lstat(s.at(path))
	return err == nil
}

// sockets is the folder that argocd-cmp-server puts its socket into.
func (s Sidecar) sockets() string { return s.or(envSockets, defaultSockets) }

// tmp is the folder below which checkouts are unpacked.
func (s Sidecar) tmp() string { return s.or(envWork, s.or(envTmp, defaultTmp)) }

func (s Sidecar) or(variable, otherwise string) string {
	if value := s.Env[variable]; value != "" {
		return value
	}
	return otherwise
}
