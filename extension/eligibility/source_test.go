package eligibility_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// Where freight comes from is the one gate that is a tree.
func TestTheSourceOfFreightIsJudgedAsATree(t *testing.T) {
	const (
		ok         = "freight 7d3f0c1 comes from where prod takes it"
		inDev      = "freight 7d3f0c1 was verified in dev at 2026-03-01T12:00:00Z"
		inQA       = "freight 7d3f0c1 was verified in qa at 2026-03-01T12:20:00Z"
		notInDev   = "freight 7d3f0c1 is not verified in dev"
		notInQA    = "freight 7d3f0c1 is not verified in qa"
		toDev      = "promote it to dev first"
		toQA       = "promote it to qa first"
		hour       = pipeline.Duration(time.Hour)
		verified   = eligibility.GateVerified
		soak       = eligibility.GateSoak
		upstream   = eligibility.GateUpstream
		source     = eligibility.GateSource
		soaksDev   = "freight 7d3f0c1 has soaked 30m0s of 1h0m0s in dev"
		soaksQA    = "freight 7d3f0c1 has soaked 10m0s of 1h0m0s in qa"
		waitForDev = "wait until 2026-03-01T13:00:00Z"
		waitForQA  = "wait until 2026-03-01T13:20:00Z"
	)
	one, twenty := after(time.Hour), after(80*time.Minute)
	dev := []record{enters(0), passes(0)}
	qa := []record{enters(0), passes(20 * time.Minute)}
	devSoaks := fail(upstream, soaksDev, waitForDev, &one, pass(verified, inDev), fail(soak, soaksDev, waitForDev, &one))
	qaSoaks := fail(upstream, soaksQA, waitForQA, &twenty, pass(verified, inQA), fail(soak, soaksQA, waitForQA, &twenty))

	tests := map[string]struct {
		sources pipeline.Sources
		records map[string][]record
		want    eligibility.Gate // judged at half past twelve
	}{
		"direct": {
			pipeline.Sources{Direct: true}, nil,
			anyOf(pass(source, ok, pass(eligibility.GateDirect, "freight comes straight from warehouse shop"))),
		},
		"never in the upstream stage": {
			pipeline.Sources{Stages: []string{"dev"}}, nil,
			anyOf(fail(source, notInDev, toDev, nil, fail(verified, notInDev, toDev, nil))),
		},
		"in the upstream stage, not verified yet": {
			pipeline.Sources{Stages: []string{"dev"}}, map[string][]record{"dev": {enters(0), runs("p1"), ends(goods.ID, promotion.Failed)}},
			anyOf(fail(source, notInDev, "wait until its promotion there has succeeded", nil, fail(verified, notInDev, "wait until its promotion there has succeeded", nil))),
		},
		"in the upstream stage, where it failed": {
			pipeline.Sources{Stages: []string{"dev"}}, map[string][]record{"dev": {enters(0), ends(goods.ID, promotion.Failed)}},
			anyOf(fail(source, notInDev, "promote it to dev again, its promotion there ended as Failed", nil,
				fail(verified, notInDev, "promote it to dev again, its promotion there ended as Failed", nil))),
		},
		"in the upstream stage, where something else failed": {
			pipeline.Sources{Stages: []string{"dev"}}, map[string][]record{"dev": {enters(0), ends("other", promotion.Failed)}},
			anyOf(fail(source, notInDev, "wait until its promotion there has succeeded", nil, fail(verified, notInDev, "wait until its promotion there has succeeded", nil))),
		},
		"verified upstream": {
			pipeline.Sources{Stages: []string{"dev"}}, map[string][]record{"dev": dev},
			anyOf(pass(source, ok, pass(verified, inDev))),
		},
		"verified upstream and gone from there": {
			pipeline.Sources{Stages: []string{"dev"}}, map[string][]record{"dev": append(slices.Clone(dev), leaves(time.Minute))},
			anyOf(pass(source, ok, pass(verified, inDev))),
		},
		"one of two": {
			pipeline.Sources{Stages: []string{"qa", "dev"}}, map[string][]record{"dev": dev},
			anyOf(pass(source, ok, fail(verified, notInQA, toQA, nil), pass(verified, inDev))),
		},
		"none of two": {
			pipeline.Sources{Stages: []string{"dev", "qa"}}, nil,
			anyOf(fail(source, notInDev+"; "+notInQA, toDev+", or "+toQA, nil, fail(verified, notInDev, toDev, nil), fail(verified, notInQA, toQA, nil))),
		},
		"direct or upstream": {
			pipeline.Sources{Direct: true, Stages: []string{"dev"}}, nil,
			anyOf(pass(source, ok, pass(eligibility.GateDirect, "freight comes straight from warehouse shop"), fail(verified, notInDev, toDev, nil))),
		},
		"one where two are wanted": {
			pipeline.Sources{Stages: []string{"dev", "qa"}, AvailabilityStrategy: pipeline.All}, map[string][]record{"dev": dev},
			anyOf(fail(source, notInQA, toQA, nil, fail(upstream, notInQA, toQA, nil, pass(verified, inDev), fail(verified, notInQA, toQA, nil)))),
		},
		"neither where two are wanted": {
			pipeline.Sources{Stages: []string{"dev", "qa"}, AvailabilityStrategy: pipeline.All}, nil,
			anyOf(fail(source, notInDev+"; "+notInQA, toDev+" and "+toQA, nil,
				fail(upstream, notInDev+"; "+notInQA, toDev+" and "+toQA, nil, fail(verified, notInDev, toDev, nil), fail(verified, notInQA, toQA, nil)))),
		},
		"both where two are wanted": {
			pipeline.Sources{Stages: []string{"dev", "qa"}, AvailabilityStrategy: pipeline.All}, map[string][]record{"dev": dev, "qa": qa},
			anyOf(pass(source, ok, pass(upstream, inDev+"; "+inQA, pass(verified, inDev), pass(verified, inQA)))),
		},
		"all of one": {
			pipeline.Sources{Stages: []string{"dev"}, AvailabilityStrategy: pipeline.All}, map[string][]record{"dev": dev},
			anyOf(pass(source, ok, pass(verified, inDev))),
		},
		"still soaking": {
			pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: hour}, map[string][]record{"dev": dev},
			anyOf(fail(source, soaksDev, waitForDev, &one, devSoaks)),
		},
		"soaked": {
			pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: hour / 2}, map[string][]record{"dev": dev},
			anyOf(pass(source, ok, pass(upstream, inDev+"; freight 7d3f0c1 has soaked 30m0s of 30m0s in dev",
				pass(verified, inDev), pass(soak, "freight 7d3f0c1 has soaked 30m0s of 30m0s in dev")))),
		},
		"soaked longer than it had to": {
			pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: hour / 6}, map[string][]record{"dev": dev},
			anyOf(pass(source, ok, pass(upstream, inDev+"; freight 7d3f0c1 has soaked 10m0s of 10m0s in dev",
				pass(verified, inDev), pass(soak, "freight 7d3f0c1 has soaked 10m0s of 10m0s in dev")))),
		},
		"gone before it had soaked": {
			pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: hour}, map[string][]record{"dev": append(slices.Clone(dev), leaves(10*time.Minute))},
			anyOf(fail(source, "freight 7d3f0c1 has soaked 10m0s of 1h0m0s in dev", "promote it to dev again and let it soak", nil,
				fail(upstream, "freight 7d3f0c1 has soaked 10m0s of 1h0m0s in dev", "promote it to dev again and let it soak", nil,
					pass(verified, inDev), fail(soak, "freight 7d3f0c1 has soaked 10m0s of 1h0m0s in dev", "promote it to dev again and let it soak", nil)))),
		},
		"soaking is not asked of what is not verified": {
			pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: hour}, nil,
			anyOf(fail(source, notInDev, toDev, nil, fail(verified, notInDev, toDev, nil))),
		},
		"the first of two that soak is enough": {
			pipeline.Sources{Stages: []string{"qa", "dev"}, RequiredSoakTime: hour}, map[string][]record{"dev": dev, "qa": qa},
			anyOf(fail(source, soaksQA+"; "+soaksDev, waitForQA+", or "+waitForDev, &one, qaSoaks, devSoaks)),
		},
		"the last of two that soak is awaited": {
			pipeline.Sources{Stages: []string{"qa", "dev"}, RequiredSoakTime: hour, AvailabilityStrategy: pipeline.All}, map[string][]record{"dev": dev, "qa": qa},
			anyOf(fail(source, soaksQA+"; "+soaksDev, waitForQA+" and "+waitForDev, &twenty,
				fail(upstream, soaksQA+"; "+soaksDev, waitForQA+" and "+waitForDev, &twenty, qaSoaks, devSoaks))),
		},
		"what needs a person does not pass by itself": {
			pipeline.Sources{Stages: []string{"dev", "qa"}, RequiredSoakTime: hour, AvailabilityStrategy: pipeline.All}, map[string][]record{"dev": dev},
			anyOf(fail(source, soaksDev+"; "+notInQA, waitForDev+" and "+toQA, nil,
				fail(upstream, soaksDev+"; "+notInQA, waitForDev+" and "+toQA, nil, devSoaks, fail(verified, notInQA, toQA, nil)))),
		},
		"what soaks is enough where something else needs a person": {
			pipeline.Sources{Stages: []string{"qa", "dev"}, RequiredSoakTime: hour}, map[string][]record{"dev": dev},
			anyOf(fail(source, notInQA+"; "+soaksDev, toQA+", or "+waitForDev, &one, fail(verified, notInQA, toQA, nil), devSoaks)),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := eligibility.Eligible(goods, prod(test.sources), eligibility.Facts{Stages: stages(test.records), Applications: 1}, after(30*time.Minute))
			if diff := cmp.Diff(test.want, sourceOf(t, v)); diff != "" {
				t.Errorf("the source (-want +got):\n%s", diff)
			}
			if v.Allowed != test.want.Pass || v.Ready != test.want.Pass {
				t.Errorf("allowed: %t, ready: %t, and the source passes: %t", v.Allowed, v.Ready, test.want.Pass)
			}
			if !v.Allowed && v.Refusal() != test.want.Fact+": "+test.want.Remedy {
				t.Errorf("Refusal = %q", v.Refusal())
			}
		})
	}
}

// The clock of a gate is exact: until then it fails, and from then on it passes.
func TestSoakingEndsWhenTheGateSaid(t *testing.T) {
	for _, required := range []time.Duration{time.Millisecond, 1500 * time.Millisecond, time.Hour, 1000 * time.Hour} {
		stage := prod(pipeline.Sources{Stages: []string{"dev"}, RequiredSoakTime: pipeline.Duration(required)})
		facts := eligibility.Facts{Stages: stages(map[string][]record{"dev": {enters(0), passes(time.Minute)}}), Applications: 1}
		until := sourceOf(t, eligibility.Eligible(goods, stage, facts, after(time.Minute))).Until
		if until == nil {
			t.Fatalf("%s: nothing tells when it has soaked", required)
		}
		if eligibility.Eligible(goods, stage, facts, until.Add(-1)).Allowed {
			t.Errorf("%s: it passes before %s", required, until)
		}
		if v := eligibility.Eligible(goods, stage, facts, *until); !v.Ready {
			t.Errorf("%s: at %s it does not pass: %s", required, until, v.Refusal())
		}
	}
}
