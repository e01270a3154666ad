package preview

import (
	"os"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Children returns how many processes of the plugin have been run.
func Children(t *testing.T) int {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, family := range families {
		if family.GetName() == "waybill_preview_children_total" {
			for _, m := range family.GetMetric() {
				total += int(m.GetCounter().GetValue())
			}
		}
	}
	return total
}

// HoldComparisons takes all places of comparisons, until release is called.
func (r *Renderer) HoldComparisons() (release func()) {
	for range cap(r.comparing) {
		r.comparing <- struct{}{}
	}
	return func() {
		for range cap(r.comparing) {
			<-r.comparing
		}
	}
}

// FailLimits has every limit of a child's memory fail.
func (r *Renderer) FailLimits(err error) {
	r.limit = func(*os.Process, uint64) error { return err }
}
