package preview

import (
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
