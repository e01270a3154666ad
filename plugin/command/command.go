// Package command is what Argo CD runs for each render of an Application: the
// commands generate and parameters, and what people run by hand.
//
// It is a pure function of the files of the Application's path and the plugin's
// parameters, and for a chart of what Argo CD tells of the cluster (KUBE_VERSION,
// KUBE_API_VERSIONS): no network, no Kubernetes API, no Git, no clock. That is
// what makes Argo CD's cache and its rollback serve the right pins. Where a chart
// itself asks for the time or for randomness, package helm tells what follows.
//
// Two binaries share it: waybill-plugin, which is started for each render and so
// links nothing that only charts need, and waybill-plugin-chart, which it becomes
// where the path holds a Helm chart.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

const usage = `waybill-plugin renders the manifests of an Argo CD Application, pinned to the
freight that its stage holds.

Usage:
  waybill-plugin generate          write the manifests of the working directory
  waybill-plugin parameters        write the parameters that generate takes, as JSON
  waybill-plugin digest [file...]  write the digest of manifests, or of standard input
  waybill-plugin doctor [-o json]  tell what keeps renders from working, and what mends it
  waybill-plugin version           write the version
  waybill-plugin help              write this text

generate and parameters are run by Argo CD, which sets ARGOCD_APP_NAME,
ARGOCD_APP_SOURCE_PATH and ARGOCD_APP_PARAMETERS. doctor looks at the sidecar that it runs in, and with these
variables set in a checkout, at what a render sees there.
`

// Call is one run of the program, with all that it may know of the world.
type Call struct {
	Args   []string
	Dir    string // the Application's path
	Env    map[string]string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Version is the program's own.
	Version string
	// Chart renders the Helm chart in the Application's path.
	Chart render.ChartRenderer

	// The bounds of a render, which tests set: maxRenderTime, and that of the
	// container.
	renderTime   time.Duration
	renderMemory int64 // bytes
}

// New returns the run that the process was started for.
func New(version string, chart render.ChartRenderer) Call {
	return Call{
		Args:    os.Args[1:],
		Dir:     ".",
		Env:     environment(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Version: version,
		Chart:   chart,
	}
}

// Run returns the exit code: 1 when the command failed, 2 when there is no such
// command.
func (c Call) Run() int {
	name := "help"
	if len(c.Args) > 0 {
		name = c.Args[0]
	}
	var subject refusal.Subject
	var err error
	switch name {
	case "generate":
		subject, err = c.generate()
	case "parameters":
		err = c.announce()
	case "digest":
		err = c.digest()
	case "doctor":
		err = c.doctor()
	case "version":
		_, err = fmt.Fprintln(c.Stdout, c.Version)
	case "help", "-h", "-help", "--help":
		_, err = io.WriteString(c.Stdout, usage)
	default:
		fmt.Fprintf(c.Stderr, "waybill-plugin has no command %q.\n\n%s", name, usage)
		return 2
	}
	if errors.Is(err, errUnwell) {
		return 1
	}
	if err != nil {
		fmt.Fprint(c.Stderr, refusal.Message(subject, err))
		return 1
	}
	return 0
}

func environment() map[string]string {
	env := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}
