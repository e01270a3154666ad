package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// chaos is what people, outages and a random order of things do to a world.
type chaos struct {
	*world
	random   *rand.Rand
	versions int
}

func (c *chaos) tag() string { return fmt.Sprintf("v%d", 1+c.random.IntN(max(1, c.versions))) }

func (c *chaos) person() string { return []string{"alice", "bob", "carol"}[c.random.IntN(3)] }

func (c *chaos) stage() string { return []string{"dev", "staging", "prod"}[c.random.IntN(3)] }

// decide does something to a random promotion that has not ended. What is
// refused is refused.
func (c *chaos) decide(do func(e *Engine, p Pipeline, id string, d promotion.Decision) error) {
	var open []string
	for _, p := range c.promotions(c.stage()) {
		if !p.Phase.Ended() {
			open = append(open, p.ID)
		}
	}
	if len(open) > 0 {
		_ = do(c.people, c.pipeline(), open[c.random.IntN(len(open))], c.decision(c.person()))
	}
}

func (c *chaos) strike() {
	ctx := c.t.Context()
	switch c.random.IntN(14) {
	case 0, 1:
		c.versions++
		c.release(fmt.Sprintf("v%d", c.versions))
	case 2:
		c.release(c.tag())
	case 3, 4:
		_, _, _ = c.people.Promote(ctx, c.pipeline(), c.stage(), Ask{By: c.person(), Freight: c.tag()})
	case 5:
		_, _, _ = c.people.Promote(ctx, c.pipeline(), c.stage(), Ask{By: c.person(), Rollback: true, Reason: "it is broken"})
	case 6, 7:
		c.decide(func(e *Engine, p Pipeline, id string, d promotion.Decision) error {
			_, err := e.Approve(ctx, p, id, d)
			return err
		})
	case 8:
		c.decide(func(e *Engine, p Pipeline, id string, d promotion.Decision) error {
			_, err := e.Abort(ctx, p, id, d)
			return err
		})
	case 9:
		faults := append([]fault{unavailable}, faults...)
		in, what := 1+c.random.IntN(6), faults[c.random.IntN(len(faults))]
		c.breaks = func(string) fault {
			if in--; in == 0 {
				return what
			}
			return none
		}
	case 10:
		down := c.random.IntN(2) == 0
		c.git.refuses = func(gitrepo.Change) error {
			if down {
				return errOutage
			}
			return nil
		}
	case 11:
		c.argo.fails["dev"] = []string{"", "no"}[c.random.IntN(2)]
		c.argo.asleep = c.random.IntN(2) == 0
		c.enqueue(argoKey)
	case 12:
		c.edit("late", func(a *v1alpha1.Application) {
			a.Annotations[argocd.AnnotationStage] = "shop/" + []string{"prod", "none"}[c.random.IntN(2)]
		})
	case 13:
		c.trails = c.random.IntN(4)
	}
	c.pass(time.Duration(c.random.IntN(20)) * time.Second)
}

// heal ends all outages, and lets come to an end what can.
func (c *chaos) heal() {
	c.breaks = func(string) fault { return none }
	c.git.refuses = func(gitrepo.Change) error { return nil }
	c.argo.asleep, c.trails = false, 0
	delete(c.argo.fails, "dev")
	c.enqueue(argoKey)
	c.pass(time.Hour)
}

func TestInTheEndTheRecordsTellWhatIs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(chaosSeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shopDocument, append(shopApplications(), application("late", "none", "env/prod"))...)
			c := &chaos{world: w, random: rand.New(rand.NewPCG(seed, 0))}
			for range 60 {
				c.strike()
			}
			c.heal()
			for _, stage := range []string{"dev", "staging", "prod"} {
				checkChain(t, w, stage)
				c.checkStage(t, stage)
				for _, p := range w.promotions(stage) {
					c.checkPromotion(t, p)
				}
			}
			if t.Failed() {
				t.Log(w.describe())
			}
		})
	}
}

// checkStage checks that a stage holds what the waybills of its Applications
// say.
func (c *chaos) checkStage(t *testing.T, stage string) {
	t.Helper()
	record := c.world.stage(stage)
	if record.Running != "" {
		t.Errorf("%s runs still", record.Running)
	}
	var holds []string
	for _, l := range record.Current {
		holds = append(holds, l.Freight)
	}
	for _, key := range record.Applications {
		app := key[len(argocdNamespace)+1:]
		bill := c.git.waybill(t, c.app(app).Spec.Source.TargetRevision, app)
		var carried []string
		for _, f := range bill.Freight {
			carried = append(carried, f.ID)
		}
		if diff := cmp.Diff(carried, holds); diff != "" {
			t.Errorf("%s (-waybill of %s +record):\n%s", stage, app, diff)
		}
	}
	for _, v := range record.Verified {
		if p := c.promotion(v.Promotion); p.Phase != promotion.Succeeded {
			t.Errorf("%s verified %s by promotion %s, which %s", stage, v.Freight, p.ID, p.Phase)
		}
	}
}

func (c *chaos) checkPromotion(t *testing.T, p promotion.Promotion) {
	t.Helper()
	if p.Phase == promotion.Running {
		t.Errorf("%s runs still", p.ID)
	}
	for app := range c.argo.operations {
		if n := c.argo.started(app, p.ID); n > 1 {
			t.Errorf("%s started %d operations in %s", p.ID, n, app)
		}
	}
	if p.StartedAt == nil {
		return
	}
	approved := slices.ContainsFunc(p.Approvals, func(d promotion.Decision) bool { return d.By != p.Request.By })
	if p.Stage == "prod" && !approved && !p.Request.Rollback && !handsOn(p) {
		t.Errorf("%s started without an approval", p.ID)
	}
}
