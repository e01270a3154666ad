package eligibility_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// A verdict is a tree: every gate says whether it passes, on what fact it rests,
// and who or what can change it.
func ExampleEligible() {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	shop := freight.Freight{ID: "7d3f0c1eaa", Origin: "shop"}
	prod := pipeline.Stage{
		Name: "prod",
		RequestedFreight: []pipeline.RequestedFreight{{
			Origin:  pipeline.Origin{Kind: pipeline.KindWarehouse, Name: "shop"},
			Sources: pipeline.Sources{Stages: []string{"staging"}, RequiredSoakTime: pipeline.Duration(time.Hour)},
		}},
		Approval: &pipeline.Approval{Required: 1, NotBy: pipeline.NotByPromoter},
	}
	staging := promotion.NewStage("waybill/shop", "staging")
	p := promotion.Promotion{ID: "p1", Carries: []promotion.Held{{Origin: "shop", Freight: shop.ID}}}
	staging.Enter(p, noon)
	staging.Verify(p, noon)

	verdict := eligibility.Eligible(shop, prod, eligibility.Facts{
		Stages:       map[string]promotion.Stage{"staging": staging},
		Applications: 2,
	}, noon.Add(20*time.Minute))

	fmt.Println("allowed:", verdict.Allowed)
	show(verdict.Gates, 0)
	fmt.Println(verdict.Refusal())
	// Output:
	// allowed: false
	// pass  origin: stage prod requests freight of warehouse shop
	// fail  source: freight 7d3f0c1 has soaked 20m0s of 1h0m0s in staging
	// fail    upstream: freight 7d3f0c1 has soaked 20m0s of 1h0m0s in staging
	// pass      verified: freight 7d3f0c1 was verified in staging at 2026-03-01T12:00:00Z
	// fail      soak: freight 7d3f0c1 has soaked 20m0s of 1h0m0s in staging
	// wait  approval: approval 0 of 1
	// pass  applications: 2 Applications are bound to prod
	// pass  turn: no other promotion runs in prod or goes first
	// freight 7d3f0c1 has soaked 20m0s of 1h0m0s in staging: wait until 2026-03-01T13:00:00Z
}

func show(gates []eligibility.Gate, depth int) {
	for _, g := range gates {
		mark := "fail"
		switch {
		case g.Pass:
			mark = "pass"
		case g.Waits:
			mark = "wait"
		}
		fmt.Printf("%s  %s%s: %s\n", mark, strings.Repeat("  ", depth), g.Name, g.Fact)
		show(g.Gates, depth+1)
	}
}
