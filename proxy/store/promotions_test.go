package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

func TestAPromotionIsMutableUntilItEnds(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	r, created, err := s.CreatePromotion(t.Context(), somePromotion(shop, "dev", "k"))
	must(t, err)
	id := r.Value.ID
	if !created {
		t.Error("the first request creates nothing")
	}
	labels := map[string]string{
		store.LabelKind: "promotion", store.LabelPipeline: "waybill.shop", store.LabelStage: "dev", store.LabelPhase: "Pending",
	}
	cm := c.configMap(t, id)
	if diff := cmp.Diff(labels, cm.Labels); diff != "" || cm.Immutable != nil {
		t.Errorf("pending, immutable %v, labels (-want +got):\n%s", cm.Immutable, diff)
	}

	r.Value.Start(1, nil, nil, []string{"sync"}, noon)
	must(t, s.PutPromotion(t.Context(), &r))
	labels[store.LabelPhase] = "Running"
	cm = c.configMap(t, id)
	if diff := cmp.Diff(labels, cm.Labels); diff != "" || cm.Immutable != nil {
		t.Errorf("running, immutable %v, labels (-want +got):\n%s", cm.Immutable, diff)
	}

	head := promotion.Hash("the record before")
	r.Value.End(promotion.Succeeded, "", "", head, noon)
	must(t, s.PutPromotion(t.Context(), &r))
	labels[store.LabelPhase] = "Succeeded"
	labels[store.LabelPrevious] = strings.TrimPrefix(head, "sha256:")[:40]
	cm = c.configMap(t, id)
	if diff := cmp.Diff(labels, cm.Labels); diff != "" || cm.Immutable == nil || !*cm.Immutable {
		t.Errorf("ended, immutable %v, labels (-want +got):\n%s", cm.Immutable, diff)
	}
}

func TestARequestThatIsRepeatedIsOnePromotion(t *testing.T) {
	c := newCluster(t)
	s, other := c.store(), c.store()
	first, created, err := s.CreatePromotion(t.Context(), somePromotion(shop, "dev", "k"))
	must(t, err)
	if !created {
		t.Fatal("the first request creates nothing")
	}
	repeated := somePromotion(shop, "dev", "k")
	repeated.Freight = "f2"
	for name, replica := range map[string]*store.Store{"the same replica": s, "one whose informer trails": other} {
		again, created, err := replica.CreatePromotion(t.Context(), repeated)
		must(t, err)
		if diff := cmp.Diff(first.Value, again.Value); created || diff != "" {
			t.Errorf("%s: created %v, promotion (-want +got):\n%s", name, created, diff)
		}
	}
	if again, _, err := other.CreatePromotion(t.Context(), repeated); err != nil || other.PutPromotion(t.Context(), &again) != nil {
		t.Errorf("what was returned cannot be put: %v", err)
	}
}

func TestAConfigMapInTheWayOfAPromotionIsTold(t *testing.T) {
	p := somePromotion(shop, "dev", "k")
	c := newCluster(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: p.ID}})
	_, created, err := c.store().CreatePromotion(t.Context(), p)
	if created || err == nil || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), p.ID+" is in the way") {
		t.Errorf("got %v, %v", created, err)
	}
}

// A copy would be swept, or ended, as the record that it is a copy of.
func TestACopyOfARecordIsIgnoredAndToldOnce(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	var lines []string
	ctx := log.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	p, f := somePromotion(shop, "dev", "k"), someFreight(shop, "v1", noon)
	_, _, err := s.CreatePromotion(ctx, p)
	must(t, err)
	_, err = s.CreateFreight(ctx, f)
	must(t, err)
	other := somePromotion(shop, "dev", "other").ID
	for name, of := range map[string]string{other: p.ID, "freight-copy": f.ID} {
		cm := c.configMap(t, of)
		cm.Name, cm.ResourceVersion = name, ""
		must(t, c.server.Create(ctx, cm))
	}
	c.catchUp(t)
	for range 3 {
		open, err := s.OpenPromotions(ctx, stageName("dev"))
		must(t, err)
		all, err := s.Promotions(ctx, shop)
		must(t, err)
		if diff := cmp.Diff([]string{p.ID}, ids(open)); diff != "" || len(all) != 1 {
			t.Errorf("promotions %v, open (-want +got):\n%s", ids(all), diff)
		}
		if loads, err := s.Freight(ctx, shop); err != nil || len(loads) != 1 {
			t.Errorf("freight %v, %v", loads, err)
		}
		if _, err := s.Promotion(ctx, shop, other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the copy: %v", err)
		}
		if _, err := s.PromotionNow(ctx, shop, other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the copy now: %v", err)
		}
	}
	if len(lines) != 2 || !strings.Contains(strings.Join(lines, ""), other) {
		t.Errorf("it is told as %q", lines)
	}
	if _, created, err := s.CreatePromotion(ctx, somePromotion(shop, "dev", "other")); created || err == nil || !strings.Contains(err.Error(), other+": it is a copy of another record: delete it") {
		t.Errorf("a promotion in the way of which is a copy: created %v, %v", created, err)
	}
}

func TestAPromotionIsFoundInItsOwnPipelineAlone(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	p := somePromotion(shop, "dev", "k")
	_, _, err := s.CreatePromotion(t.Context(), p)
	must(t, err)
	f := someFreight(shop, "v1", noon)
	_, err = s.CreateFreight(t.Context(), f)
	must(t, err)
	other := pipeline.Name{Namespace: namespace, Name: "other"}
	for name, get := range map[string]func() error{
		"of another pipeline": func() error { _, err := s.Promotion(t.Context(), other, p.ID); return err },
		"of another kind":     func() error { _, err := s.Promotion(t.Context(), shop, f.ID); return err },
		"unknown":             func() error { _, err := s.Promotion(t.Context(), shop, "none"); return err },
		"no name":             func() error { _, err := s.Promotion(t.Context(), shop, "../secrets"); return err },
	} {
		if err := get(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ids returns the promotions' IDs, sorted.
func ids(records []store.Record[promotion.Promotion]) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.Value.ID
	}
	slices.Sort(all)
	return all
}

func TestPromotionsAreListedByPipelineAndByWhatIsOpenInAStage(t *testing.T) {
	for name, trails := range map[string]bool{"with an informer that has caught up": false, "with one that trails": true} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			s := c.store()
			put := func(p promotion.Promotion, change func(*promotion.Promotion)) string {
				r, _, err := s.CreatePromotion(t.Context(), p)
				must(t, err)
				change(&r.Value)
				must(t, s.PutPromotion(t.Context(), &r))
				return r.Value.ID
			}
			nothing := func(*promotion.Promotion) {}
			pending := put(somePromotion(shop, "dev", "1"), nothing)
			running := put(somePromotion(shop, "dev", "2"), func(p *promotion.Promotion) { p.Start(1, nil, nil, nil, noon) })
			elsewhere := put(somePromotion(shop, "dev-2", "3"), nothing)
			put(somePromotion(pipeline.Name{Namespace: namespace, Name: "shop-dev"}, "2", "4"), nothing)
			if !trails {
				c.catchUp(t)
			}
			ended := put(somePromotion(shop, "dev", "5"), nothing)
			if !trails {
				c.catchUp(t) // shows it as open
			}
			r, err := s.Promotion(t.Context(), shop, ended)
			must(t, err)
			r.Value.End(promotion.Aborted, promotion.ReasonWithdrawn, "", "", noon)
			must(t, s.PutPromotion(t.Context(), &r))

			all, err := s.Promotions(t.Context(), shop)
			must(t, err)
			want := []string{pending, running, elsewhere, ended}
			slices.Sort(want)
			if diff := cmp.Diff(want, ids(all)); diff != "" {
				t.Errorf("of the pipeline (-want +got):\n%s", diff)
			}
			open, err := s.OpenPromotions(t.Context(), stageName("dev"))
			must(t, err)
			want = []string{pending, running}
			slices.Sort(want)
			if diff := cmp.Diff(want, ids(open)); diff != "" {
				t.Errorf("open in dev (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheChainOfEndedPromotionsIsFollowedByHash(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	end := func(ctx context.Context, stage, key, previous string) store.Record[promotion.Promotion] {
		r, _, err := s.CreatePromotion(ctx, somePromotion(shop, stage, key))
		must(t, err)
		r.Value.End(promotion.Succeeded, "", "", previous, noon)
		must(t, s.PutPromotion(ctx, &r))
		return r
	}
	first := end(t.Context(), "dev", "1", "")
	second := end(t.Context(), "dev", "2", promotion.Hash(first.Text))
	end(t.Context(), "prod", "1", promotion.Hash(second.Text))
	// One that shares what the label holds of the hash, and no more.
	whole := promotion.Hash(second.Text)
	end(t.Context(), "dev", "3", whole[:len(whole)-1]+"x")
	c.catchUp(t)
	for name, at := range map[string]struct{ head, next string }{
		"the beginning": {"", first.Value.ID},
		"the first":     {promotion.Hash(first.Text), second.Value.ID},
		"the last":      {whole, ""},
	} {
		next, found, err := s.EndedAfter(t.Context(), stageName("dev"), at.head)
		must(t, err)
		if found != (at.next != "") || next.Value.ID != at.next {
			t.Errorf("after %s: %q, %v, want %q", name, next.Value.ID, found, at.next)
		}
	}
	// The hash is over what is stored, byte for byte.
	r, err := s.Promotion(t.Context(), shop, first.Value.ID)
	must(t, err)
	if stored := c.configMap(t, first.Value.ID).Data["promotion.yaml"]; r.Text != stored || first.Text != stored {
		t.Errorf("the text is %q, stored is %q", r.Text, stored)
	}
}
