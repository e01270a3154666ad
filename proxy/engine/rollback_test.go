package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

// twice has a world whose prod holds v2, and once held v1 on another tree of the
// stage's branch.
func twice(t *testing.T, document string) *world {
	t.Helper()
	w := newWorld(t, document, application("prod", "prod", "env/prod"))
	for _, tag := range []string{"v1", "v2"} {
		w.git.push(shopRepo, "main", map[string][]byte{"base/note": []byte("as of " + tag)})
		w.release(tag)
		w.pass(0)
		w.approve("bob", w.promote("alice", "prod", tag).ID)
		w.until(tag+" is verified", w.verified("prod", tag))
	}
	w.git.push(shopRepo, "main", map[string][]byte{"base/note": []byte("Nobody has approved this")})
	return w
}

// note is what a branch of prod's own has there, and the commit whose tree it is.
func (w *world) note() (text, base string) {
	tip, _ := w.git.tip(shopRepo, "env/prod")
	return string(tip.files["base/note"]), tip.base
}

// A rollback needs no approval, so what has come to main since must not go along.
func TestARollbackBringsBackTheTreeThatItsFreightHad(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ tag, want string }{
		{"v1", "as of v1"},
		{"v2", "as of v2"}, // which prod holds
	} {
		t.Run(test.tag, func(t *testing.T) {
			t.Parallel()
			w := twice(t, prodDocument)
			p := w.rollback("alice", "prod", test.tag)
			w.until("it has ended", w.ended(p.ID))
			p = w.promotion(p.ID)
			text, base := w.note()
			if p.Phase != promotion.Succeeded || text != test.want || p.Applications[0].Base != base {
				t.Errorf("it %s (%s), with the tree %q of %s", p.Phase, p.Message, text, base)
			}
		})
	}
}

func TestAPromotionOfTheSameFreightBringsAlongWhatIsNewAndWaitsForItsApproval(t *testing.T) {
	t.Parallel()
	w := twice(t, prodDocument)
	p := w.promote("alice", "prod", "v1")
	w.pass(0)
	if text, _ := w.note(); text != "as of v2" {
		t.Errorf("before it is approved the branch has the tree %q", text)
	}
	w.approve("bob", p.ID)
	w.until("v1 is back", w.ended(p.ID))
	if text, _ := w.note(); text != "Nobody has approved this" {
		t.Errorf("the branch has the tree %q", text)
	}
}

// A branch of another name needs no approval: the Applications join anew.
func TestABranchOfTheStageThatIsRenamedTakesItsTreeAlong(t *testing.T) {
	t.Parallel()
	w := twice(t, prodDocument)
	w.rewrite(with(prodDocument, "branch: env/prod", "branch: live"))
	w.pass(0)
	w.edit("prod", func(a *v1alpha1.Application) { a.Spec.Source.TargetRevision = "live" })
	note := func() string {
		tip, _ := w.git.tip(shopRepo, "live")
		return string(tip.files["base/note"])
	}
	w.until("it is handed on", func() bool { return w.stage("prod").Running == "" && note() != "" })
	if got := note(); got != "as of v2" {
		t.Errorf("it was handed on with the tree %q", got)
	}
	p := w.rollback("alice", "prod", "v1")
	w.until("v1 is back", w.ended(p.ID))
	if p = w.promotion(p.ID); p.Phase != promotion.Succeeded || note() != "as of v1" {
		t.Errorf("it %s (%s), with the tree %q", p.Phase, p.Message, note())
	}
}

// The record that tells the tree is not the one that brought the freight.
func TestWhatIsSweptIsNotTheTreeOfABranch(t *testing.T) {
	t.Parallel()
	w := twice(t, slow(prodDocument))
	w.git.push(shopRepo, "main", map[string][]byte{"base/note": []byte("as of v2 again")})
	p := w.promote("alice", "prod", "v2")
	w.approve("bob", p.ID)
	w.until("v2 is there once more", w.ended(p.ID))
	w.git.push(shopRepo, "main", map[string][]byte{"base/note": []byte("Nobody has approved this")})
	w.git.refuses = func(gitrepo.Change) error { return gitrepo.ErrRefused }
	failed := w.promote("alice", "prod", "v1")
	w.approve("bob", failed.ID)
	w.until("v1 is refused", w.ended(failed.ID))
	w.git.refuses = func(gitrepo.Change) error { return nil }
	w.pass(retention + time.Hour)
	w.sweep()
	w.create(application("late", "prod", "env/prod"))
	w.until("it joined", func() bool { return w.live("late") && w.stage("prod").Running == "" })
	if text, _ := w.note(); text != "as of v2 again" {
		t.Errorf("it was handed on with the tree %q", text)
	}
	back := w.rollback("alice", "prod", "v2")
	w.until("it ends", w.ended(back.ID))
	if text, _ := w.note(); text != "as of v2 again" {
		t.Errorf("the rollback brought back the tree %q", text)
	}
}

func TestARollbackIsPreviewedOnTheTreeThatItBringsBack(t *testing.T) {
	t.Parallel()
	w := twice(t, strings.Replace(prodDocument, "notBy: promoter", "notBy: promoter, rollback: true", 1))
	shown, err := w.people.Preview(t.Context(), w.pipeline(), "prod", "v1", true)
	if err != nil {
		t.Fatal(err)
	}
	if other := w.preview("prod", "v1"); other.Digest == shown.Digest {
		t.Error("a promotion to what is on main now is previewed as the same")
	}
	p := w.rollback("alice", "prod", "v1")
	if err := w.approvePreview("bob", p.ID, shown.Digest); err != nil {
		t.Fatal(err)
	}
	w.until("v1 is back", w.ended(p.ID))
	if p = w.promotion(p.ID); p.Phase != promotion.Succeeded {
		t.Errorf("it %s: %s", p.Phase, p.Message)
	}
	if text, _ := w.note(); text != "as of v1" {
		t.Errorf("the branch has the tree %q", text)
	}
}

// The branch was not the stage's own when the freight was verified there.
func TestARollbackOfWhichNobodyKnowsTheTreeEndsAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(prodDocument, "  branch: env/prod\n", "", 1), application("prod", "prod", "main"))
	w.release("v1")
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	w.rewrite(prodDocument)
	w.edit("prod", func(a *v1alpha1.Application) { a.Spec.Source.TargetRevision = "env/prod" })
	w.pass(time.Minute)
	if shown, err := w.people.Preview(t.Context(), w.pipeline(), "prod", "v1", true); err != nil || !strings.Contains(shown.Applications[0].Problem, "instead of rolling back to it") {
		t.Errorf("the preview is %+v, error %v", shown, err)
	}
	p := w.rollback("alice", "prod", "v1")
	w.until("it has ended", w.ended(p.ID))
	p = w.promotion(p.ID)
	if want := "no record tells which tree branch env/prod of " + shopRepo + " had with this freight"; p.Phase != promotion.Errored || !strings.Contains(p.Message, want) {
		t.Errorf("it %s: %s", p.Phase, p.Message)
	}
	if _, there := w.git.tip(shopRepo, "env/prod"); there {
		t.Error("the branch was written")
	}
}
