// Command waybill-plugin is Waybill's config-management plugin: Argo CD's
// argocd-cmp-server starts it in a sidecar for each render of an Application.
package main

import (
	"os"

	"github.com/waybill-cd/waybill/plugin/command"
)

// version is set by the linker.
var version = "dev"

func main() {
	slot := command.Wait()
	call := command.New(version, becomeChart(os.Environ(), slot))
	command.Isolate()
	os.Exit(call.Run())
}
