//go:build !race

package engine

// chaosSeeds is how many worlds are tried: more find more, and take longer.
const chaosSeeds = 100
