package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

const shopImage = "registry.example.com/shop"

// release pushes a version and has its warehouse look.
func (w *world) release(tag string) {
	w.t.Helper()
	w.images.tags[shopImage] = tag
	w.refresh("shop")
}

func (w *world) refresh(warehouse string) {
	w.t.Helper()
	w.pass(askedGap) // people are slow
	if err := w.people.Refresh(w.t.Context(), w.pipeline(), warehouse); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pipeline() Pipeline {
	w.t.Helper()
	p, err := w.people.Pipeline(w.t.Context(), shop)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func stageName(stage string) pipeline.StageName {
	return pipeline.StageName{Pipeline: shop, Stage: stage}
}

func (w *world) situation(stage string) Situation {
	w.t.Helper()
	s, err := w.people.Situation(w.t.Context(), w.pipeline(), stage)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) stage(stage string) promotion.Stage {
	w.t.Helper()
	record, err := w.people.StageRecord(w.t.Context(), stageName(stage))
	if err != nil {
		w.t.Fatal(err)
	}
	return record
}

// records are the stored promotions of a stage, oldest request first.
func (w *world) records(stage string) []store.Record[promotion.Promotion] {
	w.t.Helper()
	all, err := w.people.store.Promotions(w.t.Context(), shop)
	if err != nil {
		w.t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(r store.Record[promotion.Promotion]) bool { return r.Value.Stage != stage })
	slices.SortFunc(all, func(a, b store.Record[promotion.Promotion]) int {
		if c := a.Value.Request.At.Compare(b.Value.Request.At); c != 0 {
			return c
		}
		return strings.Compare(a.Value.ID, b.Value.ID)
	})
	return all
}

func (w *world) promotions(stage string) []promotion.Promotion {
	w.t.Helper()
	var all []promotion.Promotion
	for _, r := range w.records(stage) {
		all = append(all, r.Value)
	}
	return all
}

// told is the promotions of a stage in short: "v1.0.0 Succeeded".
func (w *world) history(stage string) []string {
	w.t.Helper()
	var all []string
	for _, p := range w.promotions(stage) {
		all = append(all, w.tag(p.Freight)+" "+string(p.Phase))
	}
	return all
}

// tag names freight by the tag of its first image.
func (w *world) tag(id string) string {
	w.t.Helper()
	f, err := w.people.FreightByID(w.t.Context(), shop, id)
	if err != nil {
		return freight.Short(id)
	}
	return f.Images[0].Tag
}

// holds is the tags of the freight in a stage.
func (w *world) holds(stage string) string {
	w.t.Helper()
	var tags []string
	for _, l := range w.stage(stage).Current {
		tags = append(tags, w.tag(l.Freight))
	}
	return strings.Join(tags, " ")
}

// verified tells whether a stage holds a version that passed there, and rests.
func (w *world) verified(stage, tag string) func() bool {
	return func() bool {
		s := w.stage(stage)
		if s.Running != "" || w.holds(stage) != tag {
			return false
		}
		for _, l := range s.Current {
			if _, passed := s.VerificationOf(l.Freight); !passed {
				return false
			}
		}
		return true
	}
}

// promote asks for a promotion as a person does.
func (w *world) promote(by, stage, tag string) promotion.Promotion {
	w.t.Helper()
	return w.ask(stage, Ask{By: by, Freight: tag, Reason: "because"})
}

func (w *world) rollback(by, stage, tag string) promotion.Promotion {
	w.t.Helper()
	return w.ask(stage, Ask{By: by, Freight: tag, Reason: "it is broken", Rollback: true})
}

func (w *world) ask(stage string, ask Ask) promotion.Promotion {
	w.t.Helper()
	w.pass(time.Second)
	p, _, err := w.people.Promote(w.t.Context(), w.pipeline(), stage, ask)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) decision(by string) promotion.Decision {
	return promotion.Decision{By: by, At: w.clock.now, Comment: "I say so"}
}

func (w *world) approve(by, id string) {
	w.t.Helper()
	if _, err := w.people.Approve(w.t.Context(), w.pipeline(), id, w.decision(by)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) abort(by, id string) {
	w.t.Helper()
	if _, err := w.people.Abort(w.t.Context(), w.pipeline(), id, w.decision(by)); err != nil {
		w.t.Fatal(err)
	}
}

// promotion reads one promotion.
func (w *world) promotion(id string) promotion.Promotion {
	w.t.Helper()
	r, err := w.people.Promotion(w.t.Context(), w.pipeline(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Value
}

func (w *world) ended(id string) func() bool {
	return func() bool { return w.promotion(id).Phase.Ended() }
}

// last returns the newest promotion of a stage.
func (w *world) last(stage string) promotion.Promotion {
	w.t.Helper()
	all := w.promotions(stage)
	if len(all) == 0 {
		w.t.Fatalf("nothing was ever promoted to %s", stage)
	}
	return all[len(all)-1]
}

// rewrite changes the pipeline's document, as a person does.
func (w *world) rewrite(document string) {
	w.t.Helper()
	var cm corev1.ConfigMap
	if err := w.server.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "shop"}, &cm); err != nil {
		w.t.Fatal(err)
	}
	cm.Data[pipeline.Key] = document
	if err := w.server.Update(w.t.Context(), &cm); err != nil {
		w.t.Fatal(err)
	}
}

// remove deletes a ConfigMap, as a person does.
func (w *world) remove(name string) {
	w.t.Helper()
	cm := &corev1.ConfigMap{}
	cm.Namespace, cm.Name = namespace, name
	if err := w.server.Delete(w.t.Context(), cm); err != nil {
		w.t.Fatal(err)
	}
}

// checkChain checks that the ended records of a stage are one chain, from the
// first to the head of the stage.
func checkChain(t *testing.T, w *world, stage string) {
	t.Helper()
	next, ended := map[string]string{}, 0
	for _, r := range w.records(stage) {
		if !r.Value.Phase.Ended() {
			continue
		}
		ended++
		if other, taken := next[r.Value.Previous]; taken {
			t.Errorf("%s: two records follow %q: %s and %s", stage, r.Value.Previous, other, r.Value.ID)
		}
		next[r.Value.Previous] = promotion.Hash(r.Text)
	}
	head, length := "", 0
	for next[head] != "" {
		head = next[head]
		length++
	}
	if head != w.stage(stage).Head || length != ended {
		t.Errorf("%s: the chain has %d of %d records, and the stage's head is not its end", stage, length, ended)
	}
}

func (w *world) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "it is %s\n", w.clock.now.Format("15:04:05"))
	for _, s := range w.pipeline().Stages {
		record := w.stage(s.Name)
		fmt.Fprintf(&b, "%s holds %q, runs %q\n", s.Name, w.holds(s.Name), record.Running)
		for _, p := range w.promotions(s.Name) {
			fmt.Fprintf(&b, "  %s %s %s %q %+v\n", p.ID, w.tag(p.Freight), p.Phase, p.Message, p.Steps)
		}
	}
	for _, err := range w.errors[max(0, len(w.errors)-5):] {
		fmt.Fprintln(&b, "error:", err)
	}
	fmt.Fprintln(&b, "writes:", w.writes[max(0, len(w.writes)-10):])
	return b.String()
}

// damage makes a record unreadable.
func (w *world) damage(name string) {
	w.t.Helper()
	var cm corev1.ConfigMap
	if err := w.server.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &cm); err != nil {
		w.t.Fatal(err)
	}
	for key := range cm.Data {
		cm.Data[key] = "{"
	}
	if err := w.server.Update(w.t.Context(), &cm); err != nil {
		w.t.Fatal(err)
	}
}
