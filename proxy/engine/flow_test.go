package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func shopApplications() []client.Object {
	return []client.Object{
		application("dev", "dev", "main"), application("staging", "staging", "main"), application("prod", "prod", "env/prod"),
	}
}

func TestFreightTravelsFromDevThroughStagingToAnApprovedProd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, shopApplications()...)
	w.release("v1.0.0")
	w.until("staging is verified", w.verified("staging", "v1.0.0"))
	p := w.promote("alice", "prod", "v1.0.0")
	w.pass(time.Minute)
	if got := w.promotion(p.ID); got.Phase != "Pending" {
		t.Fatalf("without an approval the promotion is %s", got.Phase)
	}
	w.approve("bob", p.ID)
	w.until("prod is verified", w.verified("prod", "v1.0.0"))
	if !w.live("prod") {
		t.Error("prod is verified, and not live")
	}
	bill := w.git.waybill(t, "env/prod", "prod")
	if diff := cmp.Diff([]string{"dev", "staging"}, bill.VerifiedIn); diff != "" {
		t.Errorf("verified in (-want +got):\n%s", diff)
	}
}
