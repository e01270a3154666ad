//go:build race

package engine

// chaosSeeds is how many worlds are tried under the race detector, which takes
// fifteen times as long: a world is driven by one goroutine, so that there is
// little for it to find in the others.
const chaosSeeds = 8
