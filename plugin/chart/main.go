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

func main() {
	command.Wait()
	call := command.New(version, helm.Render)
	command.Isolate()
	os.Exit(call.Run())
}
