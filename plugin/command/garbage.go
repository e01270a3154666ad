package command

import (
	"runtime"
	"runtime/debug"
)

// roomy is how much the heap grows before garbage is collected for the first
// time, in percent of Go's least heap, which has 4 MiB.
const roomy = 400

// SpareCollections lets the heap grow to 16 MiB before garbage is collected for
// the first time. Most renders end before, and save a seventh of their time. From
// then on the heap grows by growth percent, so that large renders need no more
// memory than they would.
func SpareCollections(growth int) {
	debug.SetGCPercent(roomy)
	first := new([16]byte)
	runtime.AddCleanup(first, func(growth int) { debug.SetGCPercent(growth) }, growth)
}
