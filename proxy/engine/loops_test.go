package engine

import (
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

// An event comes once. While the informer trails an own write, the API server has
// to be asked, and may not answer.
func TestAnEventIsNotLostWhileTheAPIServerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.pass(0)
	ctx := t.Context()
	accepted, err := w.engine.store.Accepted(ctx, shop)
	if err != nil {
		t.Fatal(err)
	}
	accepted.Value.At = noon.Add(1)
	if err := w.engine.store.PutAccepted(ctx, shop, &accepted); err != nil {
		t.Fatal(err)
	}
	w.link.killed = true
	if _, err := w.engine.Pipelines(ctx); err == nil {
		t.Fatal("the pipelines can be read")
	}
	freight := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Labels:      map[string]string{store.LabelKind: store.KindFreight},
		Annotations: map[string]string{store.AnnotationPipeline: shop.String()},
	}}
	warehouse := freight.DeepCopy()
	warehouse.Labels[store.LabelKind] = store.KindWarehouse
	stages := []pipeline.StageName{stageName("dev")}
	if diff := cmp.Diff(stages, w.engine.stagesOf(ctx, freight)); diff != "" {
		t.Errorf("stages that new freight concerns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(stages, w.engine.stagesOfProject(ctx, &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: "shop"}})); diff != "" {
		t.Errorf("stages that an AppProject concerns (-want +got):\n%s", diff)
	}
	if got := w.engine.warehousesOf(ctx, warehouse); len(got) != 1 || got[0].Warehouse != "shop" {
		t.Errorf("warehouses that their record concerns: %v", got)
	}
}
