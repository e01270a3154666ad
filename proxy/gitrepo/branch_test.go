package gitrepo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func TestStageBranchIsMadeOnTheDefaultBranch(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	base := h.head(t, "main")
	got := h.commit(t, h.ownChange(map[string]string{"deploy/w.yaml": "1"}))
	log := h.log(t, "env/prod")
	if diff := cmp.Diff(gitrepo.Written{Commit: log[0].ID, Base: base, Changed: true}, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{base}, log[0].Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	want := "Promote 7d3f0c1 to dev\n\nWaybill-Promotion: p1\nWaybill-Base: " + base
	if log[0].Message != want {
		t.Errorf("message %q, want %q", log[0].Message, want)
	}
	h.wantFiles(t, "env/prod", map[string]string{"deploy/app.yaml": "1", "deploy/w.yaml": "1"})
	h.wantFiles(t, "main", map[string]string{"deploy/app.yaml": "1"})
}

func TestStageBranchTakesTheTreeOfItsBase(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1", "gone": "1"})
	first := h.commit(t, h.ownChange(map[string]string{"deploy/w.yaml": "1", "deploy/w2.yaml": "1"}))
	wanted := h.push(t, "main", map[string]string{"deploy/app.yaml": "2"})
	h.push(t, "main", map[string]string{"deploy/app.yaml": "3"})

	c := h.ownChange(map[string]string{"deploy/w.yaml": "2"})
	c.Base, c.Promotion = wanted, "p2"
	got := h.commit(t, c)
	log := h.log(t, "env/prod")
	if diff := cmp.Diff(gitrepo.Written{Commit: log[0].ID, Base: wanted, Changed: true}, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{first.Commit}, log[0].Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	h.wantFiles(t, "env/prod", map[string]string{"deploy/app.yaml": "2", "gone": "1", "deploy/w.yaml": "2"})
}

func TestRepeatedChangeOfAStageBranchCommitsOnce(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	c := h.ownChange(map[string]string{"deploy/w.yaml": "1"})
	first := h.commit(t, c)
	same := gitrepo.Written{Commit: first.Commit, Base: first.Base}

	h.push(t, "main", map[string]string{"deploy/app.yaml": "2"}) // which the first call could not take
	h.open(t, gitrepo.Options{})
	if diff := cmp.Diff(same, h.commit(t, c)); diff != "" {
		t.Errorf("call after a restart and a push to main (-want +got):\n%s", diff)
	}
	c.Base = first.Base
	if diff := cmp.Diff(same, h.commit(t, c)); diff != "" {
		t.Errorf("call with the base that was reported (-want +got):\n%s", diff)
	}
	c.Promotion = ""
	if diff := cmp.Diff(same, h.commit(t, c)); diff != "" {
		t.Errorf("call without a promotion for the same tree (-want +got):\n%s", diff)
	}
	if n := len(h.log(t, "env/prod")); n != 2 {
		t.Errorf("%d commits, want 2", n)
	}
}

func TestWhatOthersPushToAStageBranchDoesNotStay(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	c := h.ownChange(map[string]string{"deploy/w.yaml": "1"})
	c.Base = h.head(t, "main")
	h.commit(t, c)
	theirs := h.push(t, "env/prod", map[string]string{"deploy/app.yaml": "theirs"})
	got := h.commit(t, c)
	if log := h.log(t, "env/prod"); !got.Changed || got.Commit != log[0].ID || log[0].Parents[0] != theirs {
		t.Errorf("written %+v on %v, want a commit on %s", got, log[0].Parents, theirs)
	}
	h.wantFiles(t, "env/prod", map[string]string{"deploy/app.yaml": "1", "deploy/w.yaml": "1"})
}

func TestStageBranchThatAppearsMeanwhileIsBuiltUpon(t *testing.T) {
	h := serve(t, map[string]string{"deploy/app.yaml": "1"})
	var theirs string
	h.BeforeNextPush("shop", func() { theirs = h.push(t, "env/prod", map[string]string{"x": "1"}) })
	got := h.commit(t, h.ownChange(map[string]string{"deploy/w.yaml": "1"}))
	log := h.log(t, "env/prod")
	if got.Commit != log[0].ID || log[0].Parents[0] != theirs {
		t.Errorf("written %+v on %v, want a commit on %s", got, log[0].Parents, theirs)
	}
	h.wantFiles(t, "env/prod", map[string]string{"deploy/app.yaml": "1", "deploy/w.yaml": "1"})
}
