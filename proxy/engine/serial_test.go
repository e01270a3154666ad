package engine

import (
	"math"
	"testing"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
)

func TestAReplicaThatWakesLateUndoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	asleep, err := w.engine.Situation(t.Context(), w.pipeline(), "dev")
	if err != nil {
		t.Fatal(err)
	}
	p := w.last("dev")
	w.release("v2")
	w.until("v2 is verified", w.verified("dev", "v2"))

	before, _ := w.git.tip(shopRepo, "main")
	result := writeWaybill{w.engine}.run(t.Context(), &asleep, &p)
	if result.err == nil {
		t.Errorf("it wrote: %+v", result)
	}
	if after, _ := w.git.tip(shopRepo, "main"); after.id != before.id || w.git.waybill(t, "main", "dev").Freight[0].Images[0].Tag != "v2" {
		t.Error("v1 is in Git again")
	}
}

func TestALostStageRecordCountsOnFromTheWaybills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	for _, tag := range []string{"v1", "v2", "v3"} {
		w.release(tag)
		w.until(tag+" is verified", w.verified("dev", tag))
	}
	for _, p := range w.promotions("dev") {
		w.remove(p.ID)
	}
	w.remove("waybill.shop.stage.dev")
	w.release("v4")
	w.until("v4 is verified", w.verified("dev", "v4"))
	p := w.last("dev")
	if bill := w.git.waybill(t, "main", "dev"); bill.Serial <= 3 || bill.Serial != p.Serial {
		t.Errorf("the waybill has serial %d, its promotion %d", bill.Serial, p.Serial)
	}
	if serial := w.stage("dev").Serial; serial != p.Serial {
		t.Errorf("the stage counts from %d, its promotion is %d", serial, p.Serial)
	}
	if n := len(w.git.commitsOf(shopRepo, "main", p.ID)); n != 1 || p.Phase != promotion.Succeeded {
		t.Errorf("%s has %d commits and %s", p.ID, n, p.Phase)
	}
}

func TestASerialWrittenByHandStopsNoStage(t *testing.T) {
	t.Parallel()
	for _, serial := range []int64{math.MaxInt64, math.MaxInt64 - 1, waybill.MaxSerial, waybill.MaxSerial - 1} {
		w := newWorld(t, devDocument, application("dev", "dev", "main"))
		w.release("v1")
		w.until("v1 is verified", w.verified("dev", "v1"))
		bill := w.git.waybill(t, "main", "dev")
		bill.Serial = serial
		file, err := bill.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		w.git.push(shopRepo, "main", map[string][]byte{"deploy/dev/waybill-dev.yaml": file})
		for _, tag := range []string{"v2", "v3"} {
			w.release(tag)
			w.until(tag+" is verified", w.verified("dev", tag))
		}
		if bill := w.git.waybill(t, "main", "dev"); bill.Serial != 3 {
			t.Errorf("after serial %d the stage counts %d, want 3", serial, bill.Serial)
		}
	}
}
