package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/store"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func stageName(stage string) pipeline.StageName {
	return pipeline.StageName{Pipeline: shop, Stage: stage}
}

func someFreight(p pipeline.Name, tag string, at time.Time) freight.Freight {
	digest := "sha256:" + fmt.Sprintf("%064x", len(tag))
	return freight.New(p.String(), "shop", freight.Artifacts{Images: []freight.Image{{RepoURL: "registry.example.com/shop", Tag: tag, Digest: digest}}}, at)
}

func somePromotion(p pipeline.Name, stage, key string) promotion.Promotion {
	return promotion.New(p.String(), stage, promotion.Held{Origin: "shop", Freight: "f1"}, promotion.Request{By: "alice", At: noon}, key)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestARecordThatIsNotStoredReadsAsAnEmptyOne(t *testing.T) {
	s := newCluster(t).store()
	stage, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	if diff := cmp.Diff(promotion.NewStage("waybill/shop", "dev"), stage.Value); diff != "" || stage.Text != "" {
		t.Errorf("stage (-want +got):\n%s\ntext %q", diff, stage.Text)
	}
	warehouse, err := s.Warehouse(t.Context(), shop, "shop")
	must(t, err)
	if diff := cmp.Diff(store.Warehouse{APIVersion: "waybill.dev/v1", Kind: "Warehouse", Pipeline: "waybill/shop", Name: "shop"}, warehouse.Value); diff != "" {
		t.Errorf("warehouse (-want +got):\n%s", diff)
	}
	accepted, err := s.Accepted(t.Context(), shop)
	must(t, err)
	if diff := cmp.Diff(store.Accepted{APIVersion: "waybill.dev/v1", Kind: "Accepted", Pipeline: "waybill/shop"}, accepted.Value); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}

func TestARecordIsAConfigMapThatTellsItsKindPipelineAndStage(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	stage, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
	warehouse, err := s.Warehouse(t.Context(), shop, "shop")
	must(t, err)
	must(t, s.PutWarehouse(t.Context(), shop, &warehouse))
	accepted, err := s.Accepted(t.Context(), shop)
	must(t, err)
	must(t, s.PutAccepted(t.Context(), shop, &accepted))

	for name, labels := range map[string]map[string]string{
		"waybill.shop.stage.dev":      {store.LabelKind: "stage", store.LabelPipeline: "waybill.shop", store.LabelStage: "dev"},
		"waybill.shop.warehouse.shop": {store.LabelKind: "warehouse", store.LabelPipeline: "waybill.shop"},
		"waybill.shop.accepted":       {store.LabelKind: "accepted", store.LabelPipeline: "waybill.shop"},
	} {
		cm := c.configMap(t, name)
		if diff := cmp.Diff(labels, cm.Labels); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", name, diff)
		}
		if of, ok := store.PipelineOf(cm); !ok || of != shop {
			t.Errorf("%s is of pipeline %v, %v", name, of, ok)
		}
		if cm.Immutable != nil {
			t.Errorf("%s is immutable", name)
		}
	}
}

func TestOfTwoWritersTheSecondLearnsThatItLost(t *testing.T) {
	for name, put := range map[string]func(*testing.T, *store.Store) func() error{
		"stage": func(t *testing.T, s *store.Store) func() error {
			r, err := s.Stage(t.Context(), stageName("dev"))
			must(t, err)
			return func() error { r.Value.Serial += 7; return s.PutStage(t.Context(), stageName("dev"), &r) }
		},
		"warehouse": func(t *testing.T, s *store.Store) func() error {
			r, err := s.Warehouse(t.Context(), shop, "shop")
			must(t, err)
			return func() error { r.Value.Asked += "x"; return s.PutWarehouse(t.Context(), shop, &r) }
		},
		"accepted": func(t *testing.T, s *store.Store) func() error {
			r, err := s.Accepted(t.Context(), shop)
			must(t, err)
			return func() error { r.Value.Hash += "x"; return s.PutAccepted(t.Context(), shop, &r) }
		},
		"promotion": func(t *testing.T, s *store.Store) func() error {
			r, err := s.Promotion(t.Context(), shop, somePromotion(shop, "dev", "k").ID)
			if errors.Is(err, store.ErrNotFound) {
				r.Value = somePromotion(shop, "dev", "k")
			} else {
				must(t, err)
			}
			return func() error { r.Value.Message += "x"; return s.PutPromotion(t.Context(), &r) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			one, other := c.store(), c.store()
			first, second := put(t, one), put(t, other)
			must(t, first())
			if err := second(); !errors.Is(err, store.ErrConflict) {
				t.Errorf("creating what another replica created: %v", err)
			}
			c.catchUp(t)
			third, fourth := put(t, one), put(t, other)
			must(t, fourth())
			if err := third(); !errors.Is(err, store.ErrConflict) {
				t.Errorf("replacing what another replica replaced: %v", err)
			}
		})
	}
}

func TestARecordThatSomebodyDeletedMeanwhileIsAConflict(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	r, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	must(t, s.PutStage(t.Context(), stageName("dev"), &r))
	must(t, c.server.Delete(t.Context(), c.configMap(t, "waybill.shop.stage.dev")))
	r.Value.Serial++
	if err := s.PutStage(t.Context(), stageName("dev"), &r); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if again, err := s.Stage(t.Context(), stageName("dev")); err != nil || again.Text != "" {
		t.Errorf("read again: %v %v", again, err)
	}
}

func TestAMissingNamespaceIsNoConflict(t *testing.T) {
	c := newCluster(t)
	// The API server's answer to a create in a namespace that is not there.
	missing := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, namespace)
	c.before = func(string, string) error { return missing }
	if created, err := c.store().CreateFreight(t.Context(), someFreight(shop, "v1", noon)); created || !errors.Is(err, missing) {
		t.Errorf("got %v, %v", created, err)
	}
}

func TestAnErrorOfTheAPIServerIsNoConflictAndNamesTheRecord(t *testing.T) {
	c := newCluster(t)
	cause := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "waybill.shop.stage.dev", errors.New("no right"))
	c.before = func(string, string) error { return cause }
	s := c.store()
	r, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	err = s.PutStage(t.Context(), stageName("dev"), &r)
	if !errors.Is(err, cause) || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "ConfigMap waybill/waybill.shop.stage.dev") {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsWrittenWhenNothingChanged(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	f := someFreight(shop, "v1", noon)
	_, err := s.CreateFreight(t.Context(), f)
	must(t, err)
	stage, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	stage.Value.Enter(promotion.Promotion{ID: "p", Carries: []promotion.Held{{Origin: "shop", Freight: f.ID}}}, noon)
	must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
	p, _, err := s.CreatePromotion(t.Context(), somePromotion(shop, "dev", "k"))
	must(t, err)
	ended, _, err := s.CreatePromotion(t.Context(), somePromotion(shop, "dev", "ended"))
	must(t, err)
	ended.Value.End(promotion.Aborted, promotion.ReasonWithdrawn, "", "", noon)
	must(t, s.PutPromotion(t.Context(), &ended))
	c.catchUp(t)
	c.writes = nil

	// What was written is put again, and so is what is read.
	must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
	must(t, s.PutPromotion(t.Context(), &p))
	must(t, s.PutPromotion(t.Context(), &ended))
	for range 3 {
		stage, err := s.Stage(t.Context(), stageName("dev"))
		must(t, err)
		must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
		for _, id := range []string{p.Value.ID, ended.Value.ID} {
			r, err := s.Promotion(t.Context(), shop, id)
			must(t, err)
			must(t, s.PutPromotion(t.Context(), &r))
		}
	}
	if len(c.writes) > 0 {
		t.Errorf("wrote %q", c.writes)
	}
}

func TestWhatAReplicaWroteItReadsThoughItsInformerTrails(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	stage, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	for serial := int64(1); serial <= 3; serial++ {
		stage.Value.Serial = serial
		must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
		again, err := s.Stage(t.Context(), stageName("dev"))
		must(t, err)
		if again.Value.Serial != serial {
			t.Fatalf("read serial %d, wrote %d", again.Value.Serial, serial)
		}
		if serial == 1 {
			c.catchUp(t) // and falls behind with the next write
		}
	}
	// A record that is created is in the lists as well.
	f := someFreight(shop, "v1", noon)
	_, err = s.CreateFreight(t.Context(), f)
	must(t, err)
	all, err := s.Freight(t.Context(), shop)
	must(t, err)
	if diff := cmp.Diff([]freight.Freight{f}, all); diff != "" {
		t.Errorf("freight (-want +got):\n%s", diff)
	}
	if other, err := c.store().Freight(t.Context(), shop); err != nil || len(other) != 0 {
		t.Errorf("a replica that wrote nothing reads past its informer: %v, %v", other, err)
	}
}

func TestTheAPIServerIsReadOnlyUntilTheInformerHasCaughtUp(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	stage, err := s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	must(t, s.PutStage(t.Context(), stageName("dev"), &stage))
	_, err = s.Stage(t.Context(), stageName("dev"))
	must(t, err)
	if diff := cmp.Diff([]string{"waybill.shop.stage.dev"}, c.liveReads); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	c.catchUp(t)
	c.liveReads = nil
	for range 3 {
		_, err := s.Stage(t.Context(), stageName("dev"))
		must(t, err)
		_, err = s.Promotions(t.Context(), shop)
		must(t, err)
	}
	if len(c.liveReads) > 0 {
		t.Errorf("after: %q", c.liveReads)
	}
}

func TestAnOwnRecordThatSomebodyElseDeletedIsGone(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	f := someFreight(shop, "v1", noon)
	_, err := s.CreateFreight(t.Context(), f)
	must(t, err)
	must(t, c.server.Delete(t.Context(), c.configMap(t, f.ID)))
	if _, err := s.FreightByID(t.Context(), shop, f.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if all, err := s.Freight(t.Context(), shop); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestDeletingARecordTwiceIsNoError(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	f := someFreight(shop, "v1", noon)
	_, err := s.CreateFreight(t.Context(), f)
	must(t, err)
	must(t, s.Delete(t.Context(), f.ID))
	must(t, s.Delete(t.Context(), f.ID))
	if _, err := s.FreightByID(t.Context(), shop, f.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestWhatACallerChangesIsNotWhatOthersRead(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	p := somePromotion(shop, "dev", "k")
	p.Steps = []promotion.Step{{Name: "sync", Phase: promotion.Pending}}
	_, _, err := s.CreatePromotion(t.Context(), p)
	must(t, err)
	c.catchUp(t)
	for range 2 {
		r, err := s.Promotion(t.Context(), shop, p.ID)
		must(t, err)
		if diff := cmp.Diff(p, r.Value); diff != "" {
			t.Fatalf("read (-want +got):\n%s", diff)
		}
		r.Value.Steps[0].Phase = promotion.Succeeded
		r.Value.Approvals = append(r.Value.Approvals, promotion.Decision{By: "mallory"})
	}
}

func TestARecordThatCannotBeReadIsAnErrorThatTellsTheRemedy(t *testing.T) {
	for name, text := range map[string]string{
		"a field of a later version": "apiVersion: waybill.dev/v1\nkind: Stage\npipeline: waybill/shop\nname: dev\nfuture: true\n",
		"a field given twice":        "name: dev\nname: prod\n",
		"no YAML":                    "{",
		"nothing":                    "",
		"nothing but space":          " \n",
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "waybill.shop.stage.dev"},
				Data:       map[string]string{"stage.yaml": text},
			})
			_, err := c.store().Stage(t.Context(), stageName("dev"))
			if err == nil || !strings.Contains(err.Error(), "ConfigMap waybill/waybill.shop.stage.dev, stage.yaml cannot be read") || !strings.Contains(err.Error(), "restore it, or delete it") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnErrorOfTheInformerIsTold(t *testing.T) {
	cause := errors.New("the informer has not started")
	c := newCluster(t)
	c.informer = broken{cause}
	s := c.store()
	_, err := s.Stage(t.Context(), stageName("dev"))
	_, listErr := s.Promotions(t.Context(), shop)
	_, _, gitErr := s.Git(t.Context(), "https://git.example.com/shop.git")
	for _, err := range []error{err, listErr, gitErr} {
		if !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	}
}

type broken struct{ cause error }

func (b broken) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return b.cause
}

func (b broken) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return b.cause
}
