// Command waybill-plugin is Waybill's config-management plugin: Argo CD's
// argocd-cmp-server starts it in a sidecar for each render of an Application.
//
// It is a pure function of the files of the Application's path and the plugin's
// parameters: no network, no Kubernetes API, no Git, no clock. That is what
// makes Argo CD's cache and its rollback serve the right pins.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

const usage = `waybill-plugin renders the manifests of an Argo CD Application, pinned to the
freight that its stage holds.

Usage:
  waybill-plugin generate          write the manifests of the working directory
  waybill-plugin parameters        write the parameters that generate takes, as JSON
  waybill-plugin digest [file...]  write the digest of manifests, or of standard input
  waybill-plugin version           write the version
  waybill-plugin help              write this text

generate and parameters are run by Argo CD, which sets ARGOCD_APP_NAME,
ARGOCD_APP_SOURCE_PATH and ARGOCD_APP_PARAMETERS.
`

// call is one run of the program, with all that it may know of the world.
type call struct {
	args   []string
	dir    string
	env    map[string]string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func main() {
	c := call{
		args:   os.Args[1:],
		dir:    ".",
		env:    environment(),
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
	}
	isolate()
	os.Exit(c.run())
}

// run returns the exit code: 1 when the command failed, 2 when there is no such
// command.
func (c call) run() int {
	command := "help"
	if len(c.args) > 0 {
		command = c.args[0]
	}
	var subject refusal.Subject
	var err error
	switch command {
	case "generate":
		subject, err = c.generate()
	case "parameters":
		err = c.announce()
	case "digest":
		err = c.digest()
	case "version":
		_, err = fmt.Fprintln(c.stdout, version)
	case "help", "-h", "-help", "--help":
		_, err = io.WriteString(c.stdout, usage)
	default:
		fmt.Fprintf(c.stderr, "waybill-plugin has no command %q.\n\n%s", command, usage)
		return 2
	}
	if err != nil {
		fmt.Fprint(c.stderr, refusal.Message(subject, err))
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

// version is set by the linker.
var version = "dev"
