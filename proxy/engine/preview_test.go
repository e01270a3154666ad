package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

var _ Previews = (*link)(nil)

// render stands in for the plugin: what it gives rests on the files of the
// Application's path and of base/, and on the freight of its waybill.
func (l *link) render(app argocd.Application, tree preview.Tree) (string, error) {
	if l.killed {
		return "", errKilled
	}
	c, found := l.git.find(app.RepoURL, tree.Revision)
	if !found {
		return "", gitrepo.ErrNoRevision
	}
	files := maps.Clone(c.files)
	maps.DeleteFunc(files, func(path string, _ []byte) bool { return removes(gitrepo.Change{Removed: tree.Removed}, path) })
	maps.Copy(files, tree.Files)
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if !waybill.IsFile(path) && (strings.HasPrefix(path, app.Path+"/") || strings.HasPrefix(path, "base/")) {
			fmt.Fprintf(&b, "%s: %s\n", path, files[path])
		}
	}
	if strings.Contains(b.String(), "broken") {
		return "", &preview.Refusal{Sentence: "it is broken"}
	}
	bill, err := waybill.Parse(files[app.WaybillPath()])
	if err == nil {
		err = bill.Check(app.Instance)
	}
	if err != nil {
		return "", &preview.Refusal{Sentence: err.Error()}
	}
	for _, f := range bill.Freight {
		fmt.Fprintln(&b, f.ID)
	}
	return b.String(), nil
}

func (l *link) Digest(_ context.Context, app argocd.Application, tree preview.Tree) (string, error) {
	text, err := l.render(app, tree)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))), nil
}

func (l *link) Compare(ctx context.Context, app argocd.Application, now, next preview.Tree) (preview.Application, error) {
	a := preview.Application{Namespace: app.Namespace, Name: app.Name}
	var err error
	if a.Digest, err = l.Digest(ctx, app, next); err != nil {
		a.Problem = err.Error()
	}
	if _, err := l.render(app, now); err != nil {
		a.Today = err.Error()
	}
	return a, nil
}

// preview is what a person is shown of a promotion to a stage.
func (w *world) preview(stage, tag string) Preview {
	w.t.Helper()
	shown, err := w.people.Preview(w.t.Context(), w.pipeline(), stage, tag, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return shown
}

func (w *world) approvePreview(by, id, digest string) error {
	w.t.Helper()
	d := w.decision(by)
	d.Preview = digest
	_, err := w.people.Approve(w.t.Context(), w.pipeline(), id, d)
	return err
}

// sharedDocument has prod on the branch that others push to.
func sharedDocument() string { return strings.Replace(shopDocument, "  branch: env/prod\n", "", 1) }

func TestAnApprovalOfThePresentPreviewLetsThePromotionStart(t *testing.T) {
	t.Parallel()
	for _, document := range []string{shopDocument, sharedDocument()} {
		w, p := waitingOn(t, document)
		shown := w.preview("prod", "v1.0.0")
		if shown.Digest == "" || len(shown.Applications) != 1 || shown.Applications[0].Problem != "" {
			t.Fatalf("the preview is %+v", shown)
		}
		if again := w.preview("prod", "v1.0.0"); again.Digest != shown.Digest {
			t.Errorf("two previews differ: %s and %s", shown.Digest, again.Digest)
		}
		if err := w.approvePreview("bob", p.ID, shown.Digest); err != nil {
			t.Fatal(err)
		}
		w.until("prod is verified", w.verified("prod", "v1.0.0"))
		done := w.promotion(p.ID)
		if len(done.Rendered) != 1 || promotion.PreviewDigest(done.Rendered) != shown.Digest || done.Approvals[0].Preview != shown.Digest {
			t.Errorf("recorded are %+v and %+v", done.Rendered, done.Approvals)
		}
	}
}

// waitingOn is a world in which a promotion to prod waits for its approval.
func waitingOn(t *testing.T, document string) (*world, promotion.Promotion) {
	t.Helper()
	applications := shopApplications()
	if !strings.Contains(document, "env/prod") {
		applications[2] = application("prod", "prod", "main")
	}
	w := newWorld(t, document, applications...)
	w.release("v1.0.0")
	w.until("staging is verified", w.verified("staging", "v1.0.0"))
	return w, w.promote("alice", "prod", "v1.0.0")
}

func TestAnApprovalOfAnotherPreviewIsRefused(t *testing.T) {
	t.Parallel()
	w, p := waitingOn(t, shopDocument)
	shown := w.preview("prod", "v1.0.0")
	w.git.push(shopRepo, "main", map[string][]byte{"deploy/prod/extra.yaml": []byte("more")})
	if err := w.approvePreview("bob", p.ID, shown.Digest); !errors.Is(err, ErrPreview) {
		t.Errorf("an old preview: %v", err)
	}
	if err := w.approvePreview("bob", p.ID, "sha256:1"); !errors.Is(err, ErrInvalid) {
		t.Errorf("what is no digest: %v", err)
	}
	w.git.push(shopRepo, "main", map[string][]byte{"deploy/prod/extra.yaml": []byte("broken")})
	if err := w.approvePreview("bob", p.ID, shown.Digest); !errors.Is(err, ErrPreview) || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("what cannot be rendered: %v", err)
	}
	w.git.reads = errOutage
	if err := w.approvePreview("bob", p.ID, shown.Digest); !errors.Is(err, ErrUnavailable) {
		t.Errorf("while the Git host is away: %v", err)
	}
	if got := w.promotion(p.ID); len(got.Approvals) != 0 {
		t.Errorf("approvals are recorded: %+v", got.Approvals)
	}
}

// Two must approve, so that things can change between the two.
func twoApprovals(document string) string {
	return strings.Replace(document, "approval: {required: 1", "approval: {required: 2", 1)
}

func TestAnApprovalCountsNoLongerWhenTheResultChanges(t *testing.T) {
	t.Parallel()
	for _, document := range []string{shopDocument, sharedDocument()} {
		w, p := waitingOn(t, twoApprovals(document))
		shown := w.preview("prod", "v1.0.0")
		if err := w.approvePreview("bob", p.ID, shown.Digest); err != nil {
			t.Fatal(err)
		}
		w.git.push(shopRepo, "main", map[string][]byte{"deploy/other/x.yaml": []byte("nobody's")})
		w.git.push(shopRepo, "main", map[string][]byte{"deploy/prod/extra.yaml": []byte("more")})
		w.approve("carol", p.ID)
		w.pass(time.Minute)
		got := w.promotion(p.ID)
		if got.Phase != promotion.Pending || got.Approvals[0].Outdated == "" || got.Approvals[1].Outdated != "" {
			t.Fatalf("it is %s with %+v", got.Phase, got.Approvals)
		}
		verdict, err := w.people.Judge(t.Context(), w.situation("prod"), got)
		if err != nil || !strings.Contains(verdict.Waiting(), "approval 1 of 2, that of bob counts no longer (what would be rendered has changed") {
			t.Errorf("it waits for %q, %v", verdict.Waiting(), err)
		}
		if running := w.stage("prod").Running; running != "" {
			t.Errorf("the stage is kept for %s", running)
		}
		writes := len(w.writes)
		w.pass(10 * time.Minute)
		if more := w.writes[writes:]; len(more) > 0 {
			t.Errorf("while it waits, there are writes: %v", more)
		}
		if err := w.approvePreview("bob", p.ID, w.preview("prod", "v1.0.0").Digest); err != nil {
			t.Fatal(err)
		}
		w.until("prod is verified", w.verified("prod", "v1.0.0"))
	}
}

func TestAPromotionThatCannotBeComparedHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w, p := waitingOn(t, shopDocument)
	w.release("v1.1.0")
	w.until("staging is verified", w.verified("staging", "v1.1.0"))
	if err := w.approvePreview("bob", p.ID, w.preview("prod", "v1.0.0").Digest); err != nil {
		t.Fatal(err)
	}
	w.git.reads = errOutage
	w.pass(time.Second)
	got := w.promotion(p.ID)
	if got.Phase != promotion.Pending || !strings.Contains(got.Message, "will be tried again: "+errOutage.Error()) {
		t.Errorf("it is %s and says %q", got.Phase, got.Message)
	}
	if running := w.stage("prod").Running; running != "" {
		t.Errorf("the stage is kept for %s", running)
	}
	if !slices.ContainsFunc(w.events.all, func(e string) bool { return strings.Contains(e, "PromotionPostponed") }) {
		t.Errorf("no event tells of it: %v", w.events.all)
	}
	other := w.promote("alice", "prod", "v1.1.0")
	w.approve("carol", other.ID)
	w.until("the other one is verified", w.verified("prod", "v1.1.0"))
	w.writes = nil
	serial := w.stage("prod").Serial
	w.pass(10 * time.Minute)
	if now := w.stage("prod").Serial; len(w.writes) > 0 || now != serial {
		t.Errorf("while it is tried again, it wrote %v, and serial %d became %d", w.writes, serial, now)
	}
	if len(w.errors) != 0 {
		t.Errorf("turns ended with %v", w.errors)
	}

	w.git.reads = nil
	w.until("it is verified", w.verified("prod", "v1.0.0"))
	if got := w.promotion(p.ID); got.Message != "" {
		t.Errorf("it still says %q", got.Message)
	}
}

func TestWhatOthersPushMeanwhileIsNotDeployedUnseen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		push map[string][]byte
		want promotion.Phase
	}{
		"nobody's":      {map[string][]byte{"deploy/other/x.yaml": []byte("x")}, promotion.Succeeded},
		"its manifests": {map[string][]byte{"deploy/prod/extra.yaml": []byte("more")}, promotion.Errored},
		"a broken file": {map[string][]byte{"deploy/prod/extra.yaml": []byte("broken")}, promotion.Errored},
	} {
		w, p := waitingOn(t, sharedDocument())
		if err := w.approvePreview("bob", p.ID, w.preview("prod", "v1.0.0").Digest); err != nil {
			t.Fatal(err)
		}
		// Between the check at the start and the push.
		once := false
		w.git.refuses = func(c gitrepo.Change) error {
			if c.Promotion == p.ID && !once {
				once = true
				w.git.push(shopRepo, "main", tt.push)
			}
			return nil
		}
		w.until("it has ended", w.ended(p.ID))
		got := w.promotion(p.ID)
		commits := w.git.commitsOf(shopRepo, "main", p.ID)
		if got.Phase != tt.want || (len(commits) == 1) != (tt.want == promotion.Succeeded) {
			t.Errorf("%s: it ended as %s (%s) with %d commits", name, got.Phase, got.Message, len(commits))
		}
		if got.Phase == promotion.Errored && !strings.Contains(got.Message, "has changed since it was approved") {
			t.Errorf("%s: it says %q", name, got.Message)
		}
	}
}

func TestWhatIsOutdatedOnOneBranchIsWrittenToNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		push string
		want promotion.Phase
	}{
		"nobody's":      {"deploy/other/x.yaml", promotion.Succeeded},
		"its manifests": {"deploy/prod-us/extra.yaml", promotion.Errored},
	} {
		applications := shopApplications()
		applications[2] = application("prod", "prod", "main")
		w := newWorld(t, sharedDocument(), append(applications, application("prod-us", "prod", "us"))...)
		w.git.push(shopRepo, "us", map[string][]byte{"README": nil})
		w.release("v1.0.0")
		w.until("staging is verified", w.verified("staging", "v1.0.0"))
		p := w.promote("alice", "prod", "v1.0.0")
		if err := w.approvePreview("bob", p.ID, w.preview("prod", "v1.0.0").Digest); err != nil {
			t.Fatal(err)
		}
		// Between the check at the start and the first push.
		once := false
		w.breaks = func(what string) fault {
			if strings.Contains(what, p.ID) && !once {
				once = true
				w.git.push(shopRepo, "us", map[string][]byte{tt.push: []byte("more")})
			}
			return none
		}
		w.until("it has ended", w.ended(p.ID))
		got := w.promotion(p.ID)
		if got.Phase != tt.want || !once {
			t.Errorf("%s: it ended as %s (%s)", name, got.Phase, got.Message)
		}
		for _, branch := range []string{"main", "us"} {
			if n := len(w.git.commitsOf(shopRepo, branch, p.ID)); (n == 1) != (tt.want == promotion.Succeeded) {
				t.Errorf("%s: branch %s has %d commits of it", name, branch, n)
			}
		}
	}
}

func TestAStageBranchTakesTheBaseThatWasApproved(t *testing.T) {
	t.Parallel()
	w, p := waitingOn(t, shopDocument)
	if err := w.approvePreview("bob", p.ID, w.preview("prod", "v1.0.0").Digest); err != nil {
		t.Fatal(err)
	}
	base, _ := w.git.tip(shopRepo, "main")
	once := false
	w.git.refuses = func(c gitrepo.Change) error {
		if c.Promotion == p.ID && !once {
			once = true
			w.git.push(shopRepo, "main", map[string][]byte{"deploy/prod/extra.yaml": []byte("more")})
		}
		return nil
	}
	w.until("prod is verified", w.verified("prod", "v1.0.0"))
	tip, _ := w.git.tip(shopRepo, "env/prod")
	if _, there := tip.files["deploy/prod/extra.yaml"]; there || tip.base != base.id {
		t.Errorf("the branch holds base %s, want %s", tip.base, base.id)
	}
}

func TestWhatCannotBePreviewedIsPartOfTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, application("dev", "dev", ""), application("staging", "staging", "gone"), application("prod", "prod", "env/prod"))
	w.release("v1.0.0")
	w.pass(time.Second)
	for stage, want := range map[string]string{
		"dev": "set its targetRevision to a branch", "staging": "has no branch gone", "prod": "",
	} {
		shown := w.preview(stage, "v1.0.0")
		if len(shown.Applications) != 1 || !strings.Contains(shown.Applications[0].Problem, want) {
			t.Fatalf("%s: %+v", stage, shown.Applications)
		}
		if (shown.Digest == "") != (want != "") {
			t.Errorf("%s: the digest is %q", stage, shown.Digest)
		}
	}
	w.git.reads = errOutage
	if shown := w.preview("prod", "v1.0.0"); shown.Applications[0].Problem == "" || shown.Digest != "" {
		t.Errorf("while the Git host is away: %+v", shown)
	}
	if _, err := w.people.Preview(t.Context(), w.pipeline(), "prod", "v9", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("freight that is not there: %v", err)
	}
}

func TestAPreviewAsksEachRepositoryOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shopDocument, application("dev", "dev", "main"), application("dev-eu", "dev", "main"), application("dev-us", "dev", "us"))
	w.git.push(shopRepo, "us", map[string][]byte{"README": nil})
	w.release("v1.0.0")
	w.pass(time.Second)
	before := w.git.listed
	if shown := w.preview("dev", "v1.0.0"); len(shown.Applications) != 3 || shown.Digest == "" {
		t.Errorf("the preview is %+v", shown)
	}
	if n := w.git.listed - before; n != 1 {
		t.Errorf("it was asked %d times, want once", n)
	}
}

// faulty stands in for a renderer with a fault.
type faulty struct{ Previews }

func (faulty) Compare(context.Context, argocd.Application, preview.Tree, preview.Tree) (preview.Application, error) {
	panic("no such manifest")
}

func (faulty) Digest(context.Context, argocd.Application, preview.Tree) (string, error) {
	panic("no such manifest")
}

func TestAFaultInAPreviewIsAnError(t *testing.T) {
	t.Parallel()
	w, p := waitingOn(t, shopDocument)
	digest := w.preview("prod", "v1.0.0").Digest
	w.people.previews = faulty{}
	if _, err := w.people.Preview(t.Context(), w.pipeline(), "prod", "v1.0.0", false); err == nil || !strings.Contains(err.Error(), "argocd/prod") || strings.Contains(err.Error(), "manifest") {
		t.Errorf("the preview: %v", err)
	}
	if err := w.approvePreview("bob", p.ID, digest); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an approval of it: %v", err)
	}
}
