package promotion_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

// held is freight of the warehouse shop.
func held(id string) promotion.Held { return promotion.Held{Origin: "shop", Freight: id} }

// pending is a promotion to prod that alice asked for at noon.
func pending(id string) promotion.Promotion {
	return promotion.Promotion{
		ID: id, Pipeline: "waybill/shop", Stage: "prod", Origin: "shop", Freight: "f1",
		Request: promotion.Request{By: "alice", At: noon}, Phase: promotion.Pending,
	}
}

func TestANewPromotionIsPendingAndSaysWhoAskedForWhat(t *testing.T) {
	got := promotion.New("team/shop", "prod", held("f1"), promotion.Request{
		By: "alice", At: noon.In(time.FixedZone("CET", 3600)).Add(time.Millisecond), Reason: "  release\n",
	}, "key-1")
	want := promotion.Promotion{
		APIVersion: "waybill.dev/v1",
		Kind:       "Promotion",
		ID:         got.ID,
		Pipeline:   "team/shop",
		Stage:      "prod",
		Origin:     "shop",
		Freight:    "f1",
		Request:    promotion.Request{By: "alice", At: noon, Reason: "release"},
		Phase:      promotion.Pending,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("New (-want +got):\n%s", diff)
	}
	if !regexp.MustCompile(`^shop-prod-[0-9a-f]{20}$`).MatchString(got.ID) {
		t.Errorf("the ID is %q", got.ID)
	}
}

// A client that repeats a request, because it saw no answer, gets the promotion
// that it asked for the first time.
func TestTheSameKeyByTheSamePersonIsOnePromotion(t *testing.T) {
	id := func(pipeline, stage, freight, by, reason, key string) string {
		return promotion.New(pipeline, stage, held(freight), promotion.Request{By: by, Reason: reason}, key).ID
	}
	first := id("waybill/shop", "prod", "f1", "alice", "", "k")
	if again := id("waybill/shop", "prod", "f2", "alice", "in other words", "k"); again != first {
		t.Errorf("the same key gives the IDs %s and %s", first, again)
	}
	seen := map[string]string{first: "the first"}
	for name, other := range map[string]string{
		"another key":       id("waybill/shop", "prod", "f1", "alice", "", "k2"),
		"another person":    id("waybill/shop", "prod", "f1", "bob", "", "k"),
		"another stage":     id("waybill/shop", "staging", "f1", "alice", "", "k"),
		"another pipeline":  id("waybill/store", "prod", "f1", "alice", "", "k"),
		"another namespace": id("team/shop", "prod", "f1", "alice", "", "k"),
		"parts moved":       id("waybill/shop", "prod", "f1", `alice" "x`, "", "k"),
		"parts moved back":  id("waybill/shop", "prod", "f1", "alice", "", `x" "k`),
		"hyphens":           id("waybill/shop-prod", "prod", "f1", "alice", "", "k"),
		"hyphens elsewhere": id("waybill/shop", "prod-prod", "f1", "alice", "", "k"),
	} {
		if taken, ok := seen[other]; ok {
			t.Errorf("%s and %s share the ID %s", name, taken, other)
		}
		seen[other] = name
	}
}

// The ID names a ConfigMap, of which old ones must be found again.
func TestTheIDOfAKnownRequestNeverChanges(t *testing.T) {
	const golden = "shop-prod-6c4dbe20a2d2d416b380"
	if got := promotion.New("waybill/shop", "prod", held("f1"), promotion.Request{By: "alice"}, "k").ID; got != golden {
		t.Errorf("ID = %s, want %s", got, golden)
	}
}

func TestEveryPhaseButTwoIsFinal(t *testing.T) {
	for phase, want := range map[promotion.Phase]bool{
		promotion.Pending: false, promotion.Running: false,
		promotion.Succeeded: true, promotion.Failed: true, promotion.Errored: true, promotion.Aborted: true, promotion.Superseded: true,
	} {
		if got := phase.Ended(); got != want {
			t.Errorf("%s.Ended() = %t, want %t", phase, got, want)
		}
	}
}

func TestAPromotionStartsWithAllItsStepsAheadOfIt(t *testing.T) {
	got := pending("p1")
	carries := []promotion.Held{held("f1"), {Origin: "base", Freight: "f2"}}
	evidence := []promotion.Evidence{{Stage: "staging", Freight: "f1", Promotion: "p0", VerifiedAt: noon}}
	got.Start(7, carries, evidence, []string{"write", "sync", "wait"}, after(1500*time.Millisecond))

	started := after(time.Second)
	want := pending("p1")
	want.Phase, want.Serial, want.StartedAt = promotion.Running, 7, &started
	want.Carries, want.Evidence = carries, evidence
	want.Steps = []promotion.Step{
		{Name: "write", Phase: promotion.Pending}, {Name: "sync", Phase: promotion.Pending}, {Name: "wait", Phase: promotion.Pending},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Start (-want +got):\n%s", diff)
	}
}

func TestTheStepThatRanEndsAsThePromotionDoes(t *testing.T) {
	p := pending("p1")
	p.Start(1, nil, nil, []string{"write", "sync", "wait"}, noon)
	earlier, ended := after(time.Minute), after(time.Hour)
	p.Steps[0] = promotion.Step{Name: "write", Phase: promotion.Succeeded, StartedAt: &noon, FinishedAt: &earlier}
	p.Steps[1].Phase, p.Steps[1].StartedAt = promotion.Running, &earlier
	p.End(promotion.Failed, "Unhealthy", "shop is Degraded", "sha256:0", after(time.Hour+time.Millisecond))

	if p.Phase != promotion.Failed || p.Reason != "Unhealthy" || p.Message != "shop is Degraded" || p.Previous != "sha256:0" {
		t.Errorf("End = %+v", p)
	}
	if p.FinishedAt == nil || !p.FinishedAt.Equal(ended) {
		t.Errorf("finished at %v, want %s", p.FinishedAt, ended)
	}
	want := []promotion.Step{
		{Name: "write", Phase: promotion.Succeeded, StartedAt: &noon, FinishedAt: &earlier}, // was over
		{Name: "sync", Phase: promotion.Failed, StartedAt: &earlier, FinishedAt: &ended},
		{Name: "wait", Phase: promotion.Pending}, // never began
	}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestApproversAreNamedInTheOrderInWhichTheyApproved(t *testing.T) {
	p := pending("p1")
	if diff := cmp.Diff([]string{}, p.ApprovedBy()); diff != "" {
		t.Errorf("of nobody (-want +got):\n%s", diff)
	}
	p.Approvals = []promotion.Decision{{By: "carol"}, {By: "bob"}}
	if diff := cmp.Diff([]string{"carol", "bob"}, p.ApprovedBy()); diff != "" {
		t.Errorf("ApprovedBy (-want +got):\n%s", diff)
	}
}

// Each ended record names the hash of the one before it, and the stage the hash
// of the last: whoever changes a record breaks the chain after it.
func TestTheRecordsOfAStageAreAChain(t *testing.T) {
	stage := promotion.NewStage("waybill/shop", "prod")
	var records []string
	for i, phase := range []promotion.Phase{promotion.Succeeded, promotion.Failed, promotion.Aborted, promotion.Superseded, promotion.Succeeded} {
		p := pending("p" + string(rune('1'+i)))
		if phase == promotion.Succeeded || phase == promotion.Failed {
			stage.Begin(p.ID)
			p.Start(stage.Serial, []promotion.Held{held("f1")}, nil, nil, noon)
		}
		p.End(phase, "", "", stage.Head, after(time.Duration(i)*time.Minute))
		record, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		stage.Finish(p, string(record))
		records = append(records, string(record))
	}
	if at := broken(t, records, stage.Head); at >= 0 {
		t.Errorf("record %d breaks the chain", at)
	}
	for i := range records {
		changed := append([]string(nil), records...)
		changed[i] = strings.Replace(changed[i], "alice", "mallory", 1)
		if at := broken(t, changed, stage.Head); at != i {
			t.Errorf("record %d is changed, and record %d is told to break the chain", i, at)
		}
	}
	for i := range records {
		lost := append(append([]string(nil), records[:i]...), records[i+1:]...)
		if at := broken(t, lost, stage.Head); at < 0 {
			t.Errorf("record %d is gone, and nobody notices", i)
		}
	}
}

// broken walks a chain back from its head and returns the first record that the
// next one does not name; -1 where the chain holds.
func broken(t *testing.T, records []string, head string) int {
	t.Helper()
	for i := len(records) - 1; i >= 0; i-- {
		if promotion.Hash(records[i]) != head {
			return i
		}
		var p promotion.Promotion
		if err := json.Unmarshal([]byte(records[i]), &p); err != nil {
			t.Fatal(err)
		}
		head = p.Previous
	}
	if head != "" {
		return 0
	}
	return -1
}

func TestTheHashOfARecordSaysWhichHashItIs(t *testing.T) {
	const want = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of "foo"
	if got := promotion.Hash("foo"); got != want {
		t.Errorf("Hash = %s, want %s", got, want)
	}
}

func TestARecordThatIsStoredCanBeReadAgain(t *testing.T) {
	want := pending("p1")
	want.Approvals = []promotion.Decision{{By: "bob", At: noon, Comment: "fine"}}
	want.Start(1, []promotion.Held{held("f1")}, []promotion.Evidence{{Stage: "dev", Freight: "f1", VerifiedAt: noon}}, []string{"write"}, noon)
	want.End(promotion.Succeeded, "", "", "sha256:0", noon)
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got promotion.Promotion
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}

func TestAClonedPromotionIsChangedAlone(t *testing.T) {
	build := func() promotion.Promotion {
		p := pending("p1")
		p.Start(1, nil, nil, []string{"write", "sync"}, noon)
		p.Phase = promotion.Pending
		p.Steps[0].StartedAt = &noon
		p.Approvals = []promotion.Decision{{By: "bob"}}
		p.Applications = []promotion.Result{{Name: "shop"}}
		return p
	}
	p := build()
	c := p.Clone()
	if diff := cmp.Diff(p, c); diff != "" {
		t.Errorf("the clone (-promotion +clone):\n%s", diff)
	}
	c.Approvals[0].By, c.Applications[0].Name = "", ""
	if err := c.Approve(&pipeline.Approval{Required: 2}, promotion.Decision{By: "carol"}); err != nil {
		t.Fatal(err)
	}
	if err := c.AskAbort(promotion.Decision{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	c.End(promotion.Aborted, promotion.ReasonAborted, "", "", noon)
	if diff := cmp.Diff(build(), p); diff != "" {
		t.Errorf("the promotion changed with its clone (-want +got):\n%s", diff)
	}
}
