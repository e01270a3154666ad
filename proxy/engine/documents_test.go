package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

const invalidDocument = "apiVersion: waybill.dev/v1\nproject: shop\n"

func (w *world) eventsOf(reason string) int {
	n := 0
	for _, e := range w.events.all {
		if strings.Contains(e, " "+reason+": ") {
			n++
		}
	}
	return n
}

func TestAnInvalidDocumentLeavesTheLastGoodOneInForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.rewrite(invalidDocument)
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	p := w.pipeline()
	if len(p.Problems) == 0 || p.Hash != pipeline.Hash(devDocument) {
		t.Errorf("document %s is in force, its problems are %v", p.Hash, p.Problems)
	}
	w.restart()
	w.pass(time.Hour)
	if n := w.eventsOf("PipelineInvalid"); n != 1 {
		t.Errorf("%d events tell of it", n)
	}
	w.rewrite(devDocument)
	w.pass(0)
	if p := w.pipeline(); len(p.Problems) != 0 {
		t.Errorf("the problems stay: %v", p.Problems)
	}
}

func TestAPipelineThatWasNeverValidTellsWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, invalidDocument)
	_, err := w.people.Pipeline(t.Context(), shop)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "pipeline shop has no valid document yet: ") {
		t.Errorf("it says %v", err)
	}
	all, err := w.people.Pipelines(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("pipelines: %v, %v", all, err)
	}
}

func TestAStageThatIsNotThereIsToldWithSomeThatAre(t *testing.T) {
	t.Parallel()
	p := Pipeline{Name: shop}
	for i := range maxNamed + 2 {
		p.Stages = append(p.Stages, pipeline.Stage{Name: fmt.Sprintf("s%d", i)})
		p.Warehouses = append(p.Warehouses, pipeline.Warehouse{Name: fmt.Sprintf("w%d", i)})
	}
	_, _, err := p.StageNamed("prd")
	if want := `pipeline shop has no stage "prd": it has s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more`; err == nil || err.Error() != want || !errors.Is(err, ErrNotFound) {
		t.Errorf("a stage: %v", err)
	}
	if _, err := p.WarehouseNamed("w"); err == nil || !strings.HasSuffix(err.Error(), "w9 and 2 more") {
		t.Errorf("a warehouse: %v", err)
	}
}

func TestADocumentInForceThatThisVersionReadsNoMoreIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	// As an earlier version took it, which knew less of what is wrong.
	w.rewrite(invalidDocument)
	w.pass(0)
	r, err := w.people.store.Accepted(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	r.Value.Hash, r.Value.Document = pipeline.Hash(invalidDocument), invalidDocument
	r.Value.Refused, r.Value.Problems = "", nil
	if err := w.people.store.PutAccepted(t.Context(), shop, &r); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.pass(time.Hour)
	_, err = w.people.Pipeline(t.Context(), shop)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "the document in force of pipeline shop is not valid in this version of Waybill: ") {
		t.Errorf("it says %v", err)
	}
	if n := w.eventsTell("PipelineInvalid", "it was in force, and nothing is promoted until it is mended"); n != 1 {
		t.Errorf("%d events tell of it: %q", n, w.events.all)
	}
	w.rewrite(devDocument)
	w.pass(0)
	if p := w.pipeline(); len(p.Problems) != 0 {
		t.Errorf("the problems stay: %v", p.Problems)
	}
}

func TestWhatAnEarlierVersionRefusedIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	// As a version stored it that did not know a field yet.
	document := with(devDocument, "interval: 5m", "interval: 7m")
	r, err := w.people.store.Accepted(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	r.Value.Refused = pipeline.Hash(document)
	r.Value.Problems = []pipeline.Problem{{Path: "warehouses[0]", Message: "unknown field"}}
	if err := w.people.store.PutAccepted(t.Context(), shop, &r); err != nil {
		t.Fatal(err)
	}
	w.rewrite(document)
	w.restart()
	w.pass(0)
	if p := w.pipeline(); p.Hash != pipeline.Hash(document) || len(p.Problems) != 0 {
		t.Errorf("problems: %v", p.Problems)
	}
}

func TestADocumentInForceThatSomebodyDeletedComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.remove("waybill.shop.accepted")
	w.pass(0)
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
}

func TestNothingRunsInAPipelineThatIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.until("it is pushed", func() bool { return w.holds("dev") == "v1" })
	id := w.last("dev").ID
	w.remove("shop")
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.pass(0)
	w.writes = nil
	looks := w.images.looks
	w.pass(24 * time.Hour)
	if len(w.writes) != 0 || w.images.looks != looks {
		t.Errorf("it wrote %v and looked %d times", w.writes, w.images.looks-looks)
	}
	r, err := w.people.store.Promotion(t.Context(), shop, id)
	if err != nil || r.Value.Phase != promotion.Running {
		t.Errorf("its promotion is %s, %v", r.Value.Phase, err)
	}
	if _, err := w.people.Pipeline(t.Context(), shop); !errors.Is(err, ErrNotFound) {
		t.Errorf("it is found: %v", err)
	}
	if _, kept := w.people.docs.parsed[shop]; kept {
		t.Error("its document is kept")
	}
	// Its records stay: it carries on when it comes back.
	w.create(pipelineMap("shop", devDocument))
	w.until("it ends", w.ended(id))
}

func TestADocumentComesIntoForceForWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	p := w.promote("alice", "prod", "v1")
	w.pass(0)
	w.rewrite(with(prodDocument, "  approval: {required: 1, notBy: promoter}\n", ""))
	w.until("v1 is verified", w.verified("prod", "v1"))
	if got := w.promotion(p.ID).Document; got != w.pipeline().Hash {
		t.Errorf("it was judged by %s", got)
	}
}

func TestAPipelineThatCannotBeReadTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.create(pipelineMap("another", devDocument))
	w.pass(0)
	w.damage("waybill.another.accepted")
	all, err := w.people.Pipelines(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != shop {
		t.Errorf("pipelines: %v, %v", all, err)
	}
}
