package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

// slow is a document whose warehouses look once a day.
func slow(document string) string { return with(document, "interval: 5m", "interval: 24h") }

func (w *world) sweep() {
	w.t.Helper()
	w.pass(0)
	if err := w.engine.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.pass(0)
}

func (w *world) freightTags() []string {
	w.t.Helper()
	all, err := w.people.Freight(w.t.Context(), shop)
	if err != nil {
		w.t.Fatal(err)
	}
	var tags []string
	for _, f := range all {
		tags = append(tags, f.Images[0].Tag)
	}
	slices.Sort(tags)
	return tags
}

func TestSweepingKeepsARecordOfWhichTheEndIsNotKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.create(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop-dev-1", Labels: map[string]string{
			store.LabelKind: store.KindPromotion, store.LabelPipeline: "waybill.shop", store.LabelStage: "dev", store.LabelPhase: string(promotion.Succeeded),
		}},
		Data: map[string]string{"promotion.yaml": "id: shop-dev-1\npipeline: waybill/shop\nstage: dev\nphase: Succeeded"},
	})
	w.pass(2 * retention)
	w.sweep()
	if got := w.promotions("dev"); len(got) != 1 {
		t.Errorf("there are %+v", got)
	}
}

func TestSweepingKeepsWhatAnythingNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slow(waitingDocument), application("prod", "prod", "main"))
	w.release("never-asked-for")
	w.rewrite(with(slow(waitingDocument), "autoPromotion: true", ""))
	w.pass(0)
	for _, tag := range []string{"before", "held"} {
		w.release(tag)
		w.pass(0)
		w.approve("bob", w.promote("alice", "prod", tag).ID)
		w.until(tag+" is verified", w.verified("prod", tag))
	}
	w.release("withdrawn")
	w.pass(0)
	withdrawn := w.promote("alice", "prod", "withdrawn")
	w.abort("alice", withdrawn.ID)
	w.until("it ends", w.ended(withdrawn.ID))
	w.release("waits")
	w.pass(0)
	waits := w.promote("alice", "prod", "waits")
	w.release("candidate")
	w.pass(0)

	w.sweep()
	if diff := cmp.Diff([]string{"before", "candidate", "held", "never-asked-for", "waits", "withdrawn"}, w.freightTags()); diff != "" {
		t.Errorf("before the time of retention, freight (-want +got):\n%s", diff)
	}
	w.pass(retention + time.Hour)
	w.sweep()
	if got := w.freightTags(); !slices.Contains(got, "before") || !slices.Contains(got, "held") || !slices.Contains(got, "candidate") || !slices.Contains(got, "waits") || slices.Contains(got, "never-asked-for") {
		t.Errorf("freight: %v", got)
	}
	if w.promotion(waits.ID).Phase != "Pending" {
		t.Error("what waits is gone")
	}
	checkHistory(t, w, "prod", "before Succeeded", "held Succeeded", "withdrawn Aborted", "waits Pending")
	// The stage goes on as if nothing had been swept.
	w.approve("bob", waits.ID)
	w.until("it is verified", w.verified("prod", "waits"))
	w.rollback("alice", "prod", "before")
	w.until("it is back", w.verified("prod", "before"))
}

func TestSweepingDeletesWhatNothingNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slow(prodDocument), application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	for range 3 {
		p := w.promote("alice", "prod", "v1")
		w.approve("bob", p.ID)
		w.until("it ends", w.ended(p.ID))
	}
	w.pass(retention - time.Hour)
	w.sweep()
	if n := len(w.promotions("prod")); n != 4 {
		t.Fatalf("%d of 4 promotions are left", n)
	}
	w.pass(2 * time.Hour)
	w.sweep()
	// The first brought what the stage holds, the last is the last.
	if n := len(w.promotions("prod")); n != 2 {
		t.Errorf("%d promotions are left", n)
	}
	w.writes = nil
	w.sweep()
	if len(w.writes) != 0 {
		t.Errorf("sweeping again wrote %v", w.writes)
	}
}

func TestWhatIsOpenInAStageThatIsRemovedEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	runs, waits := w.promote("alice", "prod", "v1"), w.promote("carol", "prod", "v1")
	w.argo.asleep = true
	w.approve("bob", runs.ID)
	w.until("it runs", func() bool { return w.holds("prod") == "v1" })
	w.rewrite(with(prodDocument, "name: prod", "name: production"))
	w.pass(0)
	w.sweep()
	for _, id := range []string{runs.ID, waits.ID} {
		r, err := w.people.store.Promotion(t.Context(), shop, id)
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Value; p.Phase != promotion.Aborted || p.Reason != promotion.ReasonInvalid || p.Message != "stage prod is not in pipeline shop any more" {
			t.Errorf("it is %s, %s: %s", p.Phase, p.Reason, p.Message)
		}
	}
	w.writes = nil
	w.sweep()
	if len(w.writes) != 0 {
		t.Errorf("sweeping again wrote %v", w.writes)
	}
	// The stage is as free as any when it comes back.
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.rewrite(prodDocument)
	w.pass(0)
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
}

func TestOldRecordsOfAPipelineThatIsDeletedAreSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slow(prodDocument), application("prod", "prod", "env/prod"))
	w.release("v0")
	w.pass(0)
	w.release("v1")
	w.pass(0)
	for range 3 {
		p := w.promote("alice", "prod", "v1")
		w.approve("bob", p.ID)
		w.until("it ends", w.ended(p.ID))
	}
	waits := w.promote("alice", "prod", "v1")
	w.remove("shop")
	w.pass(retention - time.Hour)
	w.sweep()
	if n := len(w.promotions("prod")); n != 4 {
		t.Errorf("%d of 4 promotions are left before the time of retention", n)
	}
	w.pass(2 * time.Hour)
	w.sweep()
	// The first brought what the stage holds, the last ended last, and one waits for
	// the pipeline to come back.
	if n := len(w.promotions("prod")); n != 3 {
		t.Errorf("%d promotions are left", n)
	}
	if diff := cmp.Diff([]string{"v1"}, w.freightTags()); diff != "" {
		t.Errorf("freight (-want +got):\n%s", diff)
	}
	w.create(pipelineMap("shop", slow(prodDocument)))
	w.pass(0)
	w.approve("bob", waits.ID)
	w.until("it ends", w.ended(waits.ID))
	if p := w.promotion(waits.ID); p.Phase != promotion.Succeeded {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
}

func TestAPipelineThatCannotBeSweptDoesNotKeepTheOthersFromIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slow(devDocument))
	w.create(pipelineMap("another", slow(devDocument)))
	w.pass(0)
	w.release("v1")
	w.pass(0)
	w.release("v2")
	w.pass(retention + time.Hour)
	stage := stageName("dev")
	stage.Pipeline.Name = "another"
	r, err := w.people.store.Stage(t.Context(), stage)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.people.store.PutStage(t.Context(), stage, &r); err != nil {
		t.Fatal(err)
	}
	w.damage("waybill.another.stage.dev")
	w.deliver(0)
	if err := w.engine.Sweep(t.Context()); err == nil {
		t.Error("nothing tells that a record cannot be read")
	}
	w.deliver(0)
	if diff := cmp.Diff([]string{"v2"}, w.freightTags()); diff != "" {
		t.Errorf("freight of the other pipeline (-want +got):\n%s", diff)
	}
}
