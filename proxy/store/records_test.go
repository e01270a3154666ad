package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

func document(namespace, name, kind, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{store.LabelKind: kind}},
		Data:       map[string]string{pipeline.Key: text},
	}
}

func TestPipelinesAreTheLabelledConfigMapsOfTheNamespace(t *testing.T) {
	c := newCluster(t,
		document(namespace, "shop", "pipeline", "one"),
		document(namespace, "books", "pipeline", "two"),
		document("team-a", "shop", "pipeline", "elsewhere"),
		document(namespace, "not-labelled", "", "none"),
		// Its records would be those of the stage "accepted" of shop.
		document(namespace, "shop.stage", "pipeline", "no name of a pipeline"),
	)
	s := c.store()
	books := pipeline.Name{Namespace: namespace, Name: "books"}
	all, err := s.Pipelines(t.Context())
	must(t, err)
	if diff := cmp.Diff([]store.PipelineText{{Name: books, Text: "two"}, {Name: shop, Text: "one"}}, all); diff != "" {
		t.Errorf("pipelines (-want +got):\n%s", diff)
	}
	one, err := s.Pipeline(t.Context(), shop)
	must(t, err)
	if diff := cmp.Diff(store.PipelineText{Name: shop, Text: "one"}, one); diff != "" {
		t.Errorf("pipeline (-want +got):\n%s", diff)
	}
	for _, name := range []pipeline.Name{{Namespace: namespace, Name: "none"}, {Namespace: namespace, Name: "not-labelled"}, {Namespace: "team-a", Name: "shop"}} {
		if _, err := s.Pipeline(t.Context(), name); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARecordsPipelineIsKnownFromItsAnnotation(t *testing.T) {
	for name, test := range map[string]struct {
		cm   *corev1.ConfigMap
		want pipeline.Name
		ok   bool
	}{
		"a pipeline":            {document(namespace, "shop", "pipeline", ""), shop, true},
		"a name with a dot":     {document(namespace, "shop.stage", "pipeline", ""), pipeline.Name{}, false},
		"a record without it":   {document(namespace, "x", "stage", ""), pipeline.Name{}, false},
		"a record with another": {&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{store.AnnotationPipeline: "a/b/c"}}}, pipeline.Name{}, false},
		"a record": {&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{store.LabelKind: "stage"},
			Annotations: map[string]string{store.AnnotationPipeline: "waybill/shop"},
		}}, shop, true},
	} {
		if got, ok := store.PipelineOf(test.cm); got != test.want || ok != test.ok {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

func TestFreightIsImmutableFromBirthAndNamedByItsID(t *testing.T) {
	c := newCluster(t)
	s, other := c.store(), c.store()
	f := someFreight(shop, "v1", noon)
	if created, err := s.CreateFreight(t.Context(), f); !created || err != nil {
		t.Fatalf("created %v, %v", created, err)
	}
	cm := c.configMap(t, f.ID)
	if cm.Immutable == nil || !*cm.Immutable {
		t.Error("freight can be changed")
	}
	if diff := cmp.Diff(map[string]string{store.LabelKind: "freight", store.LabelPipeline: "waybill.shop"}, cm.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	// Discovered again, later, by any replica, it stays as it is.
	for _, s := range []*store.Store{s, other} {
		if created, err := s.CreateFreight(t.Context(), someFreight(shop, "v1", noon.Add(time.Hour))); created || err != nil {
			t.Errorf("again: created %v, %v", created, err)
		}
	}
	got, err := s.FreightByID(t.Context(), shop, f.ID)
	must(t, err)
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("freight (-want +got):\n%s", diff)
	}
}

func TestFreightIsListedNewestFirst(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	old, same1, same2 := someFreight(shop, "v1", noon), someFreight(shop, "v1.1", noon.Add(time.Hour)), someFreight(shop, "v1.1.1", noon.Add(time.Hour))
	if same2.ID < same1.ID {
		same1, same2 = same2, same1
	}
	for _, f := range []freight.Freight{old, same2, same1, someFreight(pipeline.Name{Namespace: namespace, Name: "books"}, "v9", noon)} {
		_, err := s.CreateFreight(t.Context(), f)
		must(t, err)
	}
	c.catchUp(t)
	all, err := s.Freight(t.Context(), shop)
	must(t, err)
	if diff := cmp.Diff([]freight.Freight{same1, same2, old}, all); diff != "" {
		t.Errorf("freight (-want +got):\n%s", diff)
	}
}

func TestFreightIsFoundInItsOwnPipelineAlone(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	f := someFreight(shop, "v1", noon)
	_, err := s.CreateFreight(t.Context(), f)
	must(t, err)
	p, _, err := s.CreatePromotion(t.Context(), somePromotion(shop, "dev", "k"))
	must(t, err)
	for name, get := range map[string]struct {
		pipeline pipeline.Name
		id       string
	}{
		"of another pipeline": {pipeline.Name{Namespace: namespace, Name: "books"}, f.ID},
		"of another kind":     {shop, p.Value.ID},
		"unknown":             {shop, "none"},
	} {
		if _, err := s.FreightByID(t.Context(), get.pipeline, get.id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheAcceptedDocumentKeepsItsProblems(t *testing.T) {
	c := newCluster(t)
	s := c.store()
	r, err := s.Accepted(t.Context(), shop)
	must(t, err)
	r.Value.Hash, r.Value.At, r.Value.Document = "good", noon, "stages: []\n"
	r.Value.Refused, r.Value.Problems = "bad", []pipeline.Problem{{Path: "stages[0].name", Message: "is taken"}}
	must(t, s.PutAccepted(t.Context(), shop, &r))
	c.catchUp(t)
	got, err := s.Accepted(t.Context(), shop)
	must(t, err)
	if diff := cmp.Diff(r.Value, got.Value); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}
