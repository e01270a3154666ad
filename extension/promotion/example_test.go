package promotion_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

func ExamplePromotion_Approve() {
	rule := &pipeline.Approval{Required: 1, NotBy: pipeline.NotByPromoter}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := promotion.New("waybill/shop", "prod", promotion.Held{Origin: "shop", Freight: "7d3f0c1"},
		promotion.Request{By: "alice", At: now, Reason: "release"}, "the client's key")

	err := p.Approve(rule, promotion.Decision{By: "alice", At: now})
	fmt.Println(errors.Is(err, promotion.ErrPromoter), err)
	fmt.Println(p.Approve(rule, promotion.Decision{By: "bob", At: now}), p.ApprovedBy())
	// Output:
	// true alice asked for this promotion, and stage prod wants approvals by somebody else (approval.notBy: promoter)
	// <nil> [bob]
}

// The soak clock starts when freight is verified, not when it arrives.
func ExampleStage_Soaked() {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	dev := promotion.NewStage("waybill/shop", "dev")
	p := promotion.Promotion{ID: "p1", Carries: []promotion.Held{{Origin: "shop", Freight: "7d3f0c1"}}}

	dev.Enter(p, noon)
	dev.Verify(p, noon.Add(20*time.Minute))
	fmt.Println(dev.Soaked("7d3f0c1", noon.Add(time.Hour)))
	at, _ := dev.SoakedAt("7d3f0c1", time.Hour)
	fmt.Println(at.Format(time.Kitchen))
	// Output:
	// 40m0s
	// 1:20PM
}

// A person who promotes older freight holds it against auto-promotion.
func ExampleChoose() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	candidate := promotion.Held{Origin: "shop", Freight: "newer"}
	dev := promotion.NewStage("waybill/shop", "dev")
	fmt.Printf("%+v\n", promotion.Choose(dev, candidate, nil))

	dev.Settle(promotion.Promotion{Origin: "shop", Freight: "older", Request: promotion.Request{By: "alice"}}, candidate.Freight, now)
	fmt.Printf("%+v\n", promotion.Choose(dev, candidate, nil))
	// Output:
	// {Promote:true Why:}
	// {Promote:false Why:held by alice since 2026-03-01T12:00:00Z: promote the candidate to let automation go on}
}
