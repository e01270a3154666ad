// Command waybill-plugin is Waybill's config-management plugin: Argo CD's
// argocd-cmp-server starts it in a sidecar for each render of an Application.
package main

import (
	"os"

	"github.com/waybill-cd/waybill/plugin/command"
)

// version is set by the linker.
var version = "dev"

// growth is how much the heap grows before garbage is collected, in percent: Go's
// own measure.
const growth = 100

func main() {
	slot := command.Wait()
	command.SpareCollections(growth)
	call := command.New(version, becomeChart(os.Environ(), slot))
	command.Isolate()
	os.Exit(call.Run())
}
