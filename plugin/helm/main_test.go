package helm_test

import (
	"io"
	"log"
	"os"
	"testing"

	"github.com/waybill-cd/waybill/plugin/container"
	"github.com/waybill-cd/waybill/plugin/helm"
)

var renderer = helm.Renderer{MaxMemory: container.ChartMemory(0)}

// TestMain silences what Helm logs on its own account, as the plugin does.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}
