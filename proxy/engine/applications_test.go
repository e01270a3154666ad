package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
)

func results(p promotion.Promotion) map[string]string {
	all := map[string]string{}
	for _, r := range p.Applications {
		all[r.Name] = strings.TrimSpace(string(r.Phase) + " " + r.Message)
	}
	return all
}

func TestAPromotionCoversEveryApplicationWithAResultForEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("eu", "dev", "main"), application("us", "dev", "main"), application("asia", "dev", "main"))
	w.argo.fails["eu"] = "quota"
	w.release("v1")
	w.until("it ends", func() bool { return len(w.promotions("dev")) == 1 && w.last("dev").Phase.Ended() })
	p := w.last("dev")
	want := map[string]string{"eu": "Failed the sync failed: quota", "us": "Succeeded", "asia": "Succeeded"}
	if diff := cmp.Diff(want, results(p)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if p.Phase != promotion.Failed || p.Message != "argocd-wait: argocd/eu: the sync failed: quota" {
		t.Errorf("it ended as %s: %s", p.Phase, p.Message)
	}
	if commits := w.git.commitsOf(shopRepo, "main", p.ID); len(commits) != 1 {
		t.Errorf("three Applications of one branch took %d commits", len(commits))
	}
}

func TestAnApplicationThatCannotBeSyncedDoesNotHoldBackTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("asia", "dev", "main"), application("eu", "dev", "main"))
	w.breaks = func(what string) fault {
		if what == "patch asia" {
			return unavailable
		}
		return none
	}
	w.release("v1")
	w.until("the other is live", func() bool { return w.live("eu") })
	p := w.last("dev")
	if p.Phase != promotion.Running || !strings.Contains(p.Steps[1].Message, "cannot sync Application argocd/asia") {
		t.Errorf("it is %s: %s", p.Phase, p.Steps[1].Message)
	}
	w.breaks = func(string) fault { return none }
	w.until("v1 is verified", w.verified("dev", "v1"))
	for _, app := range []string{"asia", "eu"} {
		if n := w.argo.started(app, p.ID); n != 1 {
			t.Errorf("%d operations were started in %s", n, app)
		}
	}
}

func TestAnApplicationThatJoinsIsGivenWhatTheStageHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.create(application("late", "dev", "main"))
	w.until("it is live", func() bool { return w.live("late") && w.stage("dev").Running == "" })
	checkHistory(t, w, "dev", "v1 Succeeded", "v1 Succeeded")
	if got := w.last("dev").Request.Applications; !slices.Equal(got, []string{"argocd/late"}) {
		t.Errorf("it was promoted for %v", got)
	}
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Succeeded", "v1 Succeeded")
}

func TestAnApplicationThatJoinsNeedNotWaitForAnApprovalOfSomethingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.pass(0)
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	w.release("v2")
	w.pass(0)
	waiting := w.promote("alice", "prod", "v2")
	w.create(application("late", "prod", "env/prod"))
	w.until("it is live", func() bool { return w.live("late") && w.stage("prod").Running == "" })
	if got := w.holds("prod"); got != "v1" || w.promotion(waiting.ID).Phase != promotion.Pending {
		t.Errorf("prod holds %s, and the promotion that waited is %s", got, w.promotion(waiting.ID).Phase)
	}
}

func TestAnApplicationThatJoinsAfterAFailureIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.fails["dev"] = "no"
	w.release("v1")
	w.pass(time.Minute)
	w.create(application("late", "dev", "main"))
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Failed")
}

func TestWhatAnAbortStoppedIsNotHandedOn(t *testing.T) {
	t.Parallel()
	abroad := application("abroad", "dev", "main")
	abroad.Spec.Source.RepoURL = otherRepo
	w := newWorld(t, devDocument, application("dev", "dev", "main"), abroad)
	w.git.refuses = func(c gitrepo.Change) error {
		if c.RepoURL == shopRepo {
			return errOutage
		}
		return nil
	}
	w.git.push(otherRepo, "main", map[string][]byte{"README": nil})
	w.release("v1")
	w.until("one is written", func() bool { return w.holds("dev") == "v1" })
	w.abort("alice", w.last("dev").ID)
	w.git.refuses = func(gitrepo.Change) error { return nil }
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Aborted")
	if n := len(w.git.branches[ref(shopRepo, "main")]); n != 1 {
		t.Error("the waybill that the abort prevented was written")
	}
}

func TestAnApplicationThatJoinsIsGivenFreightThatTheStageStillTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoOrigins, application("dev", "dev", "main"))
	w.images.tags["registry.example.com/base"] = "b1"
	w.refresh("base")
	w.release("v1")
	w.until("both are verified", w.verified("dev", "b1 v1"))
	w.rewrite(devDocument)
	w.create(application("late", "dev", "main"))
	w.until("it is live", func() bool { return w.live("late") && w.stage("dev").Running == "" })
	if got := w.holds("dev"); got != "v1" {
		t.Errorf("dev holds %s", got)
	}
}

func TestFreightThatTheStageTakesNoLongerKeepsNothingFromAnApplicationThatJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoOrigins, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.argo.fails["dev"] = "no"
	w.images.tags["registry.example.com/base"] = "b1"
	w.refresh("base")
	w.until("b1 fails", func() bool { return w.stage("dev").Last.Phase == promotion.Failed })
	delete(w.argo.fails, "dev")
	w.rewrite(devDocument)
	w.create(application("late", "dev", "main"))
	w.until("it is live", func() bool { return w.live("late") && w.stage("dev").Running == "" })
	if got := w.holds("dev"); got != "v1" {
		t.Errorf("dev holds %s", got)
	}
}

func TestFreightThatIsGoneIsNotHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	w.images.fails[shopImage] = errOutage // or the warehouse makes it again
	w.remove(w.stage("dev").Current[0].Freight)
	w.create(application("late", "dev", "main"))
	w.pass(time.Hour)
	if n := len(w.promotions("dev")); n != 1 {
		t.Errorf("there are %d promotions", n)
	}
}

func TestAnApplicationThatLeavesDuringAPromotionFailsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"), application("gone", "dev", "main"))
	w.argo.stuck["gone"] = true
	w.release("v1")
	w.until("the other is live", func() bool { return w.live("dev") })
	w.edit("gone", func(a *v1alpha1.Application) { delete(a.Annotations, argocd.AnnotationStage) })
	w.until("it ends", w.ended(w.last("dev").ID))
	p := w.last("dev")
	want := map[string]string{"dev": "Succeeded", "gone": "Errored the Application is gone, or has left the stage"}
	if diff := cmp.Diff(want, results(p)); diff != "" || p.Phase != promotion.Failed {
		t.Errorf("it is %s: %s\nresults (-want +got):\n%s", p.Phase, p.Message, diff)
	}
}

func TestAnApplicationThatMayNotBeInTheStageAnyMoreTellsWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.stuck["dev"] = true
	w.release("v1")
	w.until("it is synced", func() bool { return len(w.promotions("dev")) == 1 && w.argo.started("dev", w.last("dev").ID) == 1 })
	w.edit("dev", func(a *v1alpha1.Application) { a.Spec.Project = "other" })
	w.until("it ends", w.ended(w.last("dev").ID))
	if p := w.last("dev"); !strings.Contains(p.Applications[0].Message, "Application argocd/dev is in AppProject other, stage dev takes those of shop") {
		t.Errorf("it is %s: %s; %+v", p.Phase, p.Message, p.Applications)
	}
}

func TestSomebodyElsesOperationIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.stuck["dev"] = true
	w.edit("dev", func(a *v1alpha1.Application) {
		a.Operation = &v1alpha1.Operation{InitiatedBy: v1alpha1.OperationInitiator{Username: "carol"}, Sync: &v1alpha1.SyncOperation{}}
	})
	w.release("v1")
	w.pass(time.Minute)
	if got := w.last("dev").Steps[1].Message; got != "argocd/dev: another operation runs" {
		t.Errorf("it waits for %q", got)
	}
	if n := w.argo.started("dev", w.last("dev").ID); n != 0 {
		t.Errorf("%d operations were started", n)
	}
	delete(w.argo.stuck, "dev")
	w.enqueue(argoKey)
	w.until("v1 is verified", w.verified("dev", "v1"))
}

func TestAnAutomatedOperationThatDeployedTheWaybillIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.automated["dev"] = true
	// Argo CD sees the push before the proxy comes to its next step.
	w.breaks = func(what string) fault {
		if what == "push main" {
			return killedAfter
		}
		return none
	}
	w.killed = func() {
		w.breaks = func(string) fault { return none }
		w.edit("dev", func(a *v1alpha1.Application) {
			a.Annotations[v1alpha1.AnnotationKeyRefresh] = "normal"
		})
		for w.argo.step(t) {
			continue
		}
	}
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	if n := w.argo.started("dev", w.last("dev").ID); n != 0 {
		t.Errorf("%d operations were started beside Argo CD's own", n)
	}
	if n := len(w.argo.operations["dev"]); n != 1 {
		t.Errorf("there were %d operations", n)
	}
}

func TestOthersMayPushWhileAPromotionRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.until("it is pushed", func() bool { return w.holds("dev") == "v1" })
	other := w.git.push(shopRepo, "main", map[string][]byte{"NOTES": []byte("mine")})
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("v1 is verified", w.verified("dev", "v1"))
	if got := w.app("dev").Status.Sync.Revision; got != other.id || got == w.last("dev").Applications[0].Revision {
		t.Errorf("Argo CD compared %s", got)
	}
	// The one before and the one after the push, each once.
	if w.git.fetched != 2 {
		t.Errorf("Git was read %d times", w.git.fetched)
	}
}

func TestAnApplicationWithAnothersWaybillIsNotLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument, application("dev", "dev", "main"))
	w.argo.asleep = true
	w.release("v1")
	w.until("it is pushed", func() bool { return w.holds("dev") == "v1" })
	tip, _ := w.git.tip(shopRepo, "main")
	foreign := strings.ReplaceAll(string(tip.files["deploy/dev/waybill-dev.yaml"]), w.last("dev").ID, "shop-dev-00000000000000000000")
	w.git.push(shopRepo, "main", map[string][]byte{"deploy/dev/waybill-dev.yaml": []byte(foreign)})
	w.argo.asleep = false
	w.enqueue(argoKey)
	w.until("it ends", w.ended(w.last("dev").ID))
	p := w.last("dev")
	if p.Phase != promotion.Failed || !strings.HasSuffix(p.Message, "argocd/dev: Argo CD has not seen the waybill yet") {
		t.Errorf("it is %s: %s", p.Phase, p.Message)
	}
}

func TestAStageWithoutApplicationsKeepsPromotionsPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, devDocument)
	w.release("v1")
	w.pass(time.Hour)
	checkHistory(t, w, "dev", "v1 Pending")
	waits := func(want string) {
		t.Helper()
		verdict, err := w.people.Judge(t.Context(), w.situation("dev"), w.last("dev"))
		if err != nil || !strings.HasPrefix(verdict.Waiting(), want) {
			t.Errorf("it says %q, %v", verdict.Waiting(), err)
		}
	}
	waits("no Application is bound to dev: annotate one ")
	stray := application("stray", "dev", "main")
	stray.Spec.Project = "other"
	w.create(stray)
	w.pass(time.Hour)
	waits("no Application is bound to dev, though one names it: Application argocd/stray is in AppProject other, ")
	w.create(application("dev", "dev", "main"))
	w.until("v1 is verified", w.verified("dev", "v1"))
}

func TestAnApplicationJoinsWhenItsProjectComesToPermitIt(t *testing.T) {
	t.Parallel()
	app := application("dev", "dev", "main")
	app.Spec.Project = "team"
	w := newWorld(t, with(devDocument, "project: shop", "project: team"), app)
	w.release("v1")
	w.pass(time.Minute)
	checkHistory(t, w, "dev", "v1 Pending")
	w.create(project("team"))
	w.until("v1 is verified", w.verified("dev", "v1"))
}

func TestAControlFlowStageHandsFreightOnWithoutApplications(t *testing.T) {
	t.Parallel()
	document := with(shopDocument, "sources: {direct: true}}]\n  autoPromotion: true", "sources: {direct: true}}]\n  controlFlow: true")
	w := newWorld(t, document, shopApplications()[1])
	w.release("v1")
	w.until("staging is verified", w.verified("staging", "v1"))
	checkHistory(t, w, "dev", "v1 Succeeded")
	if got := w.holds("dev"); got != "v1" {
		t.Errorf("dev holds %q", got)
	}
	if n := len(w.git.branches[ref(shopRepo, "main")]); n != 2 {
		t.Errorf("there are %d commits, want the first and staging's", n)
	}
}

func TestAnApplicationThatJoinsBringsNothingOfMainOntoAStageBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	before, _ := w.git.tip(shopRepo, "env/prod")
	w.git.push(shopRepo, "main", map[string][]byte{"README": []byte("Nobody has approved this")})
	w.create(application("late", "prod", "env/prod"))
	w.until("it is live", func() bool { return w.live("late") && w.stage("prod").Running == "" })
	after, _ := w.git.tip(shopRepo, "env/prod")
	if after.base != before.base || string(after.files["README"]) != "The shop" {
		t.Errorf("the branch has the tree of %s, had that of %s: %s", after.base, before.base, after.files["README"])
	}
}

func TestWhatIsHandedOnIsNotPromotedOverWhatCameSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prodDocument, application("prod", "prod", "env/prod"))
	w.release("v1")
	w.approve("bob", w.promote("alice", "prod", "v1").ID)
	w.until("v1 is verified", w.verified("prod", "v1"))
	w.release("v2")
	waiting := w.promote("alice", "prod", "v2")
	w.pass(time.Second)
	// The approval comes in the moment in which v1 is to be handed on.
	w.breaks = func(what string) fault {
		if strings.HasPrefix(what, "create shop-prod-") {
			w.breaks = func(string) fault { return none }
			w.approve("bob", waiting.ID)
		}
		return none
	}
	w.create(application("late", "prod", "env/prod"))
	w.until("v2 is verified", w.verified("prod", "v2"))
	w.pass(time.Hour)
	checkHistory(t, w, "prod", "v1 Succeeded", "v2 Succeeded", "v1 Aborted")
	if !w.live("late") || w.holds("prod") != "v2" {
		t.Errorf("prod holds %s", w.holds("prod"))
	}
}

func TestAWaybillCarriesTheMirrorsOfItsStage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(devDocument, "  autoPromotion: true", "  autoPromotion: true\n  mirrors: [{from: registry.example.com, to: mirror.example.com}]"),
		application("dev", "dev", "main"))
	w.release("v1")
	w.until("v1 is verified", w.verified("dev", "v1"))
	want := []freight.Mirror{{From: "registry.example.com", To: "mirror.example.com"}}
	if diff := cmp.Diff(want, w.git.waybill(t, "main", "dev").Mirrors); diff != "" {
		t.Errorf("mirrors (-want +got):\n%s", diff)
	}
}
