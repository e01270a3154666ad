package command

import (
	"os"
	"runtime"

	"github.com/waybill-cd/waybill/plugin/container"
	"github.com/waybill-cd/waybill/plugin/slots"
)

// Wait holds a render back while as many run already as should. It comes first in
// the process, because whoever waits should cost next to nothing. Other commands
// do not wait.
func Wait() *slots.Slot {
	if len(os.Args) < 2 || os.Args[1] != "generate" {
		return nil
	}
	memory, _ := container.Memory("/")
	// Go counts the CPUs of the machine, and no more than the container may use.
	return slots.Take(os.TempDir(), container.Renders(memory, runtime.GOMAXPROCS(0)), slots.Patience)
}
