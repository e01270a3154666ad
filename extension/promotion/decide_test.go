package promotion_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

func TestAPromotionNeedsAsManyApprovalsAsTheRuleSays(t *testing.T) {
	two := &pipeline.Approval{Required: 2}
	both := &pipeline.Approval{Required: 2, Rollback: true}
	plain, rollback := promotion.Request{By: "alice"}, promotion.Request{By: "alice", Rollback: true}
	late := promotion.Request{By: promotion.System, Applications: []string{"argocd/shop-late"}}
	tests := map[string]struct {
		rule    *pipeline.Approval
		request promotion.Request
		want    int
	}{
		"a stage without a rule":                   {nil, plain, 0},
		"a rollback in a stage without a rule":     {nil, rollback, 0},
		"a stage with a rule":                      {two, plain, 2},
		"a rollback":                               {two, rollback, 0},
		"a rollback where the rule says so":        {both, rollback, 2},
		"a promotion where the rule is stricter":   {both, plain, 2},
		"an Application that joins later":          {two, late, 0},
		"an Application that joins, stricter rule": {both, late, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (promotion.Promotion{Request: test.request}).Required(test.rule); got != test.want {
				t.Errorf("Required = %d, want %d", got, test.want)
			}
		})
	}
}

var rule = &pipeline.Approval{Required: 2, NotBy: pipeline.NotByPromoter}

func by(name string) promotion.Decision {
	return promotion.Decision{By: name, At: after(time.Hour), Comment: "fine"}
}

func in(phase promotion.Phase) promotion.Promotion {
	p := pending("p1")
	p.Phase = phase
	return p
}

func TestAnApprovalThatDoesNotCountIsRefusedWithTheReason(t *testing.T) {
	decided := by("dave")
	approved, rejected, aborted, automatic, rollback := pending("p1"), pending("p1"), pending("p1"), pending("p1"), pending("p1")
	approved.Approvals = []promotion.Decision{{By: "bob", At: noon}}
	rejected.Rejection, aborted.Abort = &decided, &decided
	automatic.Request = promotion.Request{By: promotion.System, Automatic: true}
	rollback.Request.Rollback = true

	tests := map[string]struct {
		promotion promotion.Promotion
		rule      *pipeline.Approval
		by        string
		want      error
		sentence  string
	}{
		"by somebody else":                    {pending("p1"), rule, "bob", nil, ""},
		"by a second person":                  {approved, rule, "carol", nil, ""},
		"of an automatic one":                 {automatic, rule, "alice", nil, ""},
		"by the promoter, if the rule allows": {pending("p1"), &pipeline.Approval{Required: 1}, "alice", nil, ""},
		"by the promoter": {pending("p1"), rule, "alice", promotion.ErrPromoter,
			"alice asked for this promotion, and stage prod wants approvals by somebody else (approval.notBy: promoter)"},
		"by the same person twice": {approved, rule, "bob", promotion.ErrTwice,
			"bob approved this promotion at 2026-03-01T12:00:00Z, and each person counts once"},
		"where no rule asks for one":             {pending("p1"), nil, "bob", promotion.ErrNoApproval, "promotion p1 to prod needs no approval"},
		"of a rollback":                          {rollback, rule, "bob", promotion.ErrNoApproval, "promotion p1 to prod needs no approval"},
		"of one that runs":                       {in(promotion.Running), rule, "bob", promotion.ErrStarted, "promotion p1 to prod runs already"},
		"of one that succeeded":                  {in(promotion.Succeeded), rule, "bob", promotion.ErrEnded, "promotion p1 to prod has ended, as Succeeded"},
		"of one that failed":                     {in(promotion.Failed), rule, "bob", promotion.ErrEnded, "promotion p1 to prod has ended, as Failed"},
		"of one that was superseded":             {in(promotion.Superseded), rule, "bob", promotion.ErrEnded, "promotion p1 to prod has ended, as Superseded"},
		"of one that is rejected":                {rejected, rule, "bob", promotion.ErrEnded, "promotion p1 to prod has ended, as Aborted"},
		"of one that is withdrawn":               {aborted, rule, "bob", promotion.ErrEnded, "promotion p1 to prod has ended, as Aborted"},
		"by the promoter, of one that has ended": {in(promotion.Aborted), rule, "alice", promotion.ErrEnded, "promotion p1 to prod has ended, as Aborted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := test.promotion
			before := len(p.Approvals)
			err := p.Approve(test.rule, by(test.by))
			if !errors.Is(err, test.want) {
				t.Fatalf("Approve = %v, want %v", err, test.want)
			}
			if test.want == nil {
				if len(p.Approvals) != before+1 || p.Approvals[before].By != test.by {
					t.Errorf("the approvals are %+v", p.Approvals)
				}
				return
			}
			if err.Error() != test.sentence {
				t.Errorf("Approve says %q\nwant %q", err, test.sentence)
			}
			if len(p.Approvals) != before {
				t.Errorf("a refused approval is recorded: %+v", p.Approvals)
			}
		})
	}
}

func TestARuleThatChangedCountsTheApprovalsAnew(t *testing.T) {
	p := pending("p1")
	for _, name := range []string{"alice", "bob"} {
		if err := p.Approve(&pipeline.Approval{Required: 3}, promotion.Decision{By: name}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(rule *pipeline.Approval) []string {
		p := p
		p.Approvals = p.Counting(rule)
		return p.ApprovedBy()
	}
	for name, test := range map[string]struct {
		rule *pipeline.Approval
		want []string
	}{
		"as it was":                     {&pipeline.Approval{Required: 2}, []string{"alice", "bob"}},
		"the promoter is excluded":      {rule, []string{"bob"}},
		"there is no rule to count for": {nil, []string{}},
	} {
		if diff := cmp.Diff(test.want, count(test.rule)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestARejectionIsRecordedOnceAndBeforeTheStart(t *testing.T) {
	p := pending("p1")
	if err := p.Reject(promotion.Decision{By: "bob", At: after(time.Millisecond), Comment: " no \n"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&promotion.Decision{By: "bob", At: noon, Comment: "no"}, p.Rejection); diff != "" {
		t.Errorf("the rejection (-want +got):\n%s", diff)
	}
	if p.Phase != promotion.Pending || p.Outcome() != promotion.Aborted {
		t.Errorf("the phase is %s, the outcome %s: the engine has still to end it", p.Phase, p.Outcome())
	}
	if err := p.Reject(by("carol")); !errors.Is(err, promotion.ErrEnded) || p.Rejection.By != "bob" {
		t.Errorf("a second rejection: %v, by %s", err, p.Rejection.By)
	}
	running := in(promotion.Running)
	if err := running.Reject(by("bob")); !errors.Is(err, promotion.ErrStarted) || running.Rejection != nil {
		t.Errorf("a rejection of what runs: %v, %v", err, running.Rejection)
	}
	ended := in(promotion.Errored)
	if err := ended.Reject(by("bob")); !errors.Is(err, promotion.ErrEnded) || ended.Rejection != nil {
		t.Errorf("a rejection of what has ended: %v, %v", err, ended.Rejection)
	}
}

func TestAnAbortIsForWhatWaitsAndForWhatRuns(t *testing.T) {
	for _, phase := range []promotion.Phase{promotion.Pending, promotion.Running} {
		p := in(phase)
		if got := p.Outcome(); got != phase {
			t.Errorf("the outcome of one that is %s, and that nobody aborts, is %s", phase, got)
		}
		if err := p.AskAbort(promotion.Decision{By: "alice", At: after(time.Millisecond), Comment: " no \n"}); err != nil {
			t.Fatalf("of one that is %s: %v", phase, err)
		}
		if diff := cmp.Diff(&promotion.Decision{By: "alice", At: noon, Comment: "no"}, p.Abort); diff != "" {
			t.Errorf("the abort (-want +got):\n%s", diff)
		}
		if got := p.Outcome(); got != promotion.Aborted {
			t.Errorf("the outcome of one that is %s is %s", phase, got)
		}
		if err := p.AskAbort(by("bob")); !errors.Is(err, promotion.ErrEnded) || p.Abort.By != "alice" {
			t.Errorf("a second time: %v, by %s", err, p.Abort.By)
		}
	}
	rejected := pending("p1")
	if err := rejected.Reject(by("bob")); err != nil {
		t.Fatal(err)
	}
	if err := rejected.AskAbort(by("alice")); !errors.Is(err, promotion.ErrEnded) || rejected.Abort != nil {
		t.Errorf("of one that is rejected: %v, %v", err, rejected.Abort)
	}
	ended := in(promotion.Succeeded)
	if err := ended.AskAbort(by("alice")); !errors.Is(err, promotion.ErrEnded) || ended.Abort != nil {
		t.Errorf("of one that has succeeded: %v, %v", err, ended.Abort)
	}
	if got := ended.Outcome(); got != promotion.Succeeded {
		t.Errorf("the outcome of one that has succeeded is %s", got)
	}
}

func TestTheEndingSaysWhoEndedItAndHow(t *testing.T) {
	words, none := by("bob"), promotion.Decision{By: "bob"}
	with := func(phase promotion.Phase, rejection, abort *promotion.Decision) promotion.Promotion {
		p := in(phase)
		p.Rejection, p.Abort = rejection, abort
		return p
	}
	tests := map[string]struct {
		promotion       promotion.Promotion
		reason, message string
		ends            bool
	}{
		"nobody":               {pending("p1"), "", "", false},
		"rejected":             {with(promotion.Pending, &words, nil), "Rejected", "rejected by bob: fine", true},
		"rejected in silence":  {with(promotion.Pending, &none, nil), "Rejected", "rejected by bob", true},
		"withdrawn":            {with(promotion.Pending, nil, &words), "Withdrawn", "withdrawn by bob: fine", true},
		"aborted":              {with(promotion.Running, nil, &words), "Aborted", "aborted by bob: fine; what was written stays: to undo it, roll back", true},
		"aborted in silence":   {with(promotion.Running, nil, &none), "Aborted", "aborted by bob; what was written stays: to undo it, roll back", true},
		"a rejection is first": {with(promotion.Pending, &words, &none), "Rejected", "rejected by bob: fine", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reason, message, ends := test.promotion.Ending()
			if reason != test.reason || message != test.message || ends != test.ends {
				t.Errorf("Ending = %q, %q, %t, want %q, %q, %t", reason, message, ends, test.reason, test.message, test.ends)
			}
		})
	}
}

func FuzzWhatAPersonSaysIsBoundedAndStaysText(f *testing.F) {
	for _, s := range []string{"", " fine\n", strings.Repeat("a", 1000), strings.Repeat("a", 1001), strings.Repeat("ü", 600), "a" + strings.Repeat("€", 400), strings.Repeat("\xff", 2000), "\xff\t" + strings.Repeat("a", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := promotion.Clip(s)
		if len(got) > 1000+len("…") {
			t.Errorf("%d bytes are left of %d", len(got), len(s))
		}
		if !utf8.ValidString(got) || strings.TrimSpace(got) != got {
			t.Errorf("Clip leaves half a rune, or space around: %q", got)
		}
		if utf8.ValidString(s) && strings.TrimSpace(s) != got && len(strings.TrimSpace(s)) <= 1000 {
			t.Errorf("Clip(%q) = %q, and it is short enough", s, got)
		}
		if again := promotion.Clip(got); again != got {
			t.Errorf("clipped twice it is %q, once %q", again, got)
		}
	})
}
