package helm_test

import (
	"io"
	"log"
	"os"
	"testing"
)

// TestMain silences what Helm logs on its own account, as the plugin does.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}
