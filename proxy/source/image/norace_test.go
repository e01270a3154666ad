//go:build !race

package image_test

const raceDetected = false
