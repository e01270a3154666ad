package warehouses_test

import (
	"testing"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/hack/bench/warehouses"
)

func TestRequestsAreThoseOfTheScene(t *testing.T) {
	for strategy, first := range map[string]int{
		pipeline.StrategySemVer:      1 + 1 + 20*3, // a ping, the list, and three for each tag that is offered
		pipeline.StrategyNewestBuild: 1 + 1 + 30*2, // a ping, the list, and two for each tag
	} {
		cost, err := warehouses.Measure(t.Context(), warehouses.Scene{Tags: 30, Strategy: strategy})
		if err != nil {
			t.Fatal(err)
		}
		if cost.First.Requests != first || cost.Next.Requests != 1 || cost.Waited == 0 {
			t.Errorf("%s: %+v, want %d requests and then one", strategy, cost, first)
		}
	}
}
