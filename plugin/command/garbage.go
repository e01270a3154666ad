package command

import (
	"runtime"
	"runtime/debug"
)

// roomy and usual are how much a heap may grow between two collections of
// garbage, in percent of what was alive.
const (
	roomy = 400
	usual = 100
)

// spareCollections lets the heap grow to 16 MiB before garbage is collected for
// the first time, where Go would begin at 4 MiB. Most renders end before, and a
// seventh of their time with it. From then on all is as usual, so that large
// renders need no more memory.
func spareCollections() {
	debug.SetGCPercent(roomy)
	first := new([16]byte)
	runtime.AddCleanup(first, func(int) { debug.SetGCPercent(usual) }, 0)
}
