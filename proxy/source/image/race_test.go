//go:build race

package image_test

// raceDetected tells that these tests run with the race detector, which takes ten
// times as long and several times as much memory.
const raceDetected = true
