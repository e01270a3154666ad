package command

import (
	"errors"
	"io"
	"log"
	"net/http"
	"os"
)

// Isolate takes away from the process what a render must not use. Package
// render refuses remote bases and programs before it builds; kustomize itself
// has no switch against them, so that here stands what a gap in that check
// would run into: no HTTP, no environment (and with it no PATH to find git in).
//
// It also silences what kustomize writes to standard error on its own account,
// deprecations above all: the first line there is ours.
func Isolate() {
	http.DefaultTransport = noNetwork{}
	os.Clearenv()
	log.SetOutput(io.Discard)
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
}

type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("a render reaches no network")
}
