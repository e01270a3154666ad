package command

import (
	"os"

	"github.com/waybill-cd/waybill/plugin/slots"
)

// Wait holds a render back while as many as there are CPUs run already. It comes
// first in the process, because whoever waits should cost next to nothing. Other
// commands do not wait.
func Wait() *slots.Slot {
	if len(os.Args) < 2 || os.Args[1] != "generate" {
		return nil
	}
	return slots.Take(os.TempDir(), slots.Count(), slots.Patience)
}
