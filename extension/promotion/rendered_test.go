package promotion_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

func TestThePreviewDigestIsThatOfWhatIsDeployed(t *testing.T) {
	shop := promotion.Rendered{Namespace: "argocd", Name: "shop", Digest: digestOf("a"), Commit: "1"}
	books := promotion.Rendered{Namespace: "argocd", Name: "books", Digest: digestOf("b"), Commit: "1"}
	want := promotion.PreviewDigest([]promotion.Rendered{shop, books})
	// It never changes: stored approvals name it.
	if want != "sha256:3f74bc7cbbfdb7830cd4272ff68f0817a066b284a7ebbafe2469447dedca99c6" || !promotion.IsPreviewDigest(want) {
		t.Errorf("the digest is %s", want)
	}
	moved := shop
	moved.Commit = "2"
	if got := promotion.PreviewDigest([]promotion.Rendered{books, moved}); got != want {
		t.Errorf("in another order and from another commit it is %s, want %s", got, want)
	}
	changed, renamed := shop, shop
	changed.Digest, renamed.Name = digestOf("c"), "shop-eu"
	for name, other := range map[string][]promotion.Rendered{
		"another result": {changed, books}, "another Application": {renamed, books}, "one fewer": {shop}, "one more": {shop, books, renamed},
	} {
		if got := promotion.PreviewDigest(other); got == want || got == "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, none := range map[string][]promotion.Rendered{"nothing": nil, "one without a result": {shop, {Namespace: "argocd", Name: "books"}}} {
		if got := promotion.PreviewDigest(none); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAnApprovalOfAnotherResultCountsNoLonger(t *testing.T) {
	rule := &pipeline.Approval{Required: 2}
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	p := promotion.New("waybill/shop", "prod", promotion.Held{Origin: "shop", Freight: "f"}, promotion.Request{By: "alice", At: at}, "k")
	for _, d := range []promotion.Decision{{By: "bob", Preview: digestOf("a")}, {By: "carol"}, {By: "dave", Preview: digestOf("b")}} {
		d.At = at
		if err := p.Approve(rule, d); err != nil {
			t.Fatal(err)
		}
	}
	if !p.Bound() {
		t.Error("it is not bound to what is rendered")
	}
	before := p.Clone()
	if !p.Outdate(digestOf("a"), "it changed") || p.Outdate(digestOf("a"), "again") {
		t.Error("it is not outdated once")
	}
	if diff := cmp.Diff([]string{"bob", "carol"}, p.ApprovedBy()); diff != "" {
		t.Errorf("approved by (-want +got):\n%s", diff)
	}
	if got := p.Counting(rule); len(got) != 2 || p.Approvals[2].Outdated != "it changed" {
		t.Errorf("counting: %+v, of %+v", got, p.Approvals)
	}
	if before.Approvals[2].Outdated != "" {
		t.Error("a copy was changed")
	}
	if err := p.Approve(rule, promotion.Decision{By: "bob", At: at}); !errors.Is(err, promotion.ErrTwice) {
		t.Errorf("bob approves twice: %v", err)
	}
	if err := p.Approve(rule, promotion.Decision{By: "dave", At: at, Preview: digestOf("a")}); err != nil {
		t.Errorf("dave cannot approve what there is now: %v", err)
	}
	if len(p.Approvals) != 3 || len(p.Counting(rule)) != 3 {
		t.Errorf("approvals: %+v", p.Approvals)
	}
	p.Outdate("", "it cannot be rendered")
	if p.Bound() || len(p.Counting(rule)) != 1 {
		t.Errorf("without a result, bound approvals count: %+v", p.Approvals)
	}
}
