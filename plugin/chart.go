package main

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
	"github.com/waybill-cd/waybill/plugin/slots"
)

// chartBinary stands beside this one. It links Helm's engine, which would double
// the time and the memory of every render that needs none of it.
const chartBinary = "waybill-plugin-chart"

// becomeChart makes the process the chart binary, with the same arguments,
// standard streams and environment: one process renders, and the supervisor's
// signals reach it. The slot that it waited for goes over to it.
func becomeChart(environment []string, slot *slots.Slot) render.ChartRenderer {
	return func(*render.Checkout, render.ChartOptions) ([]manifest.Object, error) {
		self, err := os.Executable()
		if err == nil {
			err = syscall.Exec(filepath.Join(filepath.Dir(self), chartBinary), os.Args, slot.HandOver(environment)) //nolint:gosec // the binary that stands beside this one
		}
		return nil, refusal.New("its path holds a Helm chart, and "+chartBinary+" cannot be started ("+cause(err)+")",
			"install it beside waybill-plugin, as Waybill's image does")
	}
}

// cause returns an error without the path that it names.
func cause(err error) string {
	if path, ok := err.(*os.PathError); ok { //nolint:errorlint // os.Executable returns it as it is
		err = path.Err
	}
	return err.Error()
}
