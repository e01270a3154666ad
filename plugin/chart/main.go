// Command waybill-plugin-chart is what waybill-plugin becomes where an
// Application's path holds a Helm chart. It is a binary of its own because
// Helm's engine links a Kubernetes client, which would double the time and the
// memory of every other render.
package main

import (
	"os"

	"github.com/waybill-cd/waybill/plugin/command"
	"github.com/waybill-cd/waybill/plugin/helm"
)

// version is set by the linker.
var version = "dev"

// growth is how much the heap grows before garbage is collected, in percent. A
// render ends soon, and most of what it needs is garbage only then: twice Go's
// own measure takes a tenth less time.
const growth = 200

func main() {
	command.Wait()
	command.SpareCollections(growth)
	call := command.New(version, helm.Render)
	command.Isolate()
	os.Exit(call.Run())
}
