package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const otherRepo = "https://git.example.com/other.git"

// A journey takes a world from one point of rest to another: begin leads to the
// first, travel to the second. What it must come to is the same, whatever goes
// wrong on the way.
type journey struct {
	document      string
	applications  func() []client.Object
	begin, travel func(*world)
	// history is what the stage has seen at the end, and commits and operations
	// how many there are of the promotions of the travel.
	stage, holds        string
	history             []string
	commits, operations int
}

var journeys = map[string]journey{
	"a version that promotes itself, into two repositories": {
		document: devDocument,
		applications: func() []client.Object {
			abroad := application("abroad", "dev", "main")
			abroad.Spec.Source.RepoURL = otherRepo
			return []client.Object{application("dev", "dev", "main"), abroad}
		},
		begin: func(w *world) { w.git.push(otherRepo, "main", map[string][]byte{"README": nil}) },
		travel: func(w *world) {
			w.release("v1")
			w.until("dev is verified", w.verified("dev", "v1"))
		},
		stage: "dev", holds: "v1", history: []string{"v1 Succeeded"}, commits: 2, operations: 2,
	},
	"an approved promotion, onto a stage branch": {
		document: prodDocument,
		begin: func(w *world) {
			w.release("v1")
			w.pass(0)
		},
		travel: func(w *world) {
			p := w.promote("alice", "prod", "v1")
			w.approve("bob", p.ID)
			w.until("prod is verified", w.verified("prod", "v1"))
		},
		stage: "prod", holds: "v1", history: []string{"v1 Succeeded"}, commits: 1, operations: 1,
	},
	"an approval of a preview, onto a stage branch": {
		document: prodDocument,
		begin: func(w *world) {
			w.release("v1")
			w.pass(0)
		},
		travel: approvedAsSeen,
		stage:  "prod", holds: "v1", history: []string{"v1 Succeeded"}, commits: 1, operations: 1,
	},
	"an approval of a preview, onto a branch that others push to": {
		document: with(prodDocument, "branch: env/prod", "autoPromotion: false"),
		begin: func(w *world) {
			w.release("v1")
			w.pass(0)
		},
		travel: approvedAsSeen,
		stage:  "prod", holds: "v1", history: []string{"v1 Succeeded"}, commits: 1, operations: 1,
	},
	"an approval that is outdated, and given again": {
		document: with(prodDocument, "required: 1", "required: 2"),
		begin: func(w *world) {
			w.release("v1")
			w.pass(0)
			p := w.promote("alice", "prod", "v1")
			w.mustApprove("bob", p.ID)
		},
		travel: func(w *world) {
			p := w.last("prod")
			w.git.push(shopRepo, "main", map[string][]byte{"deploy/prod/extra.yaml": []byte("more")})
			w.approve("carol", p.ID)
			w.until("bob's approval is outdated", func() bool { return w.promotion(p.ID).Approvals[0].Outdated != "" })
			w.mustApprove("bob", p.ID)
			w.until("prod is verified", w.verified("prod", "v1"))
		},
		stage: "prod", holds: "v1", history: []string{"v1 Succeeded"}, commits: 1, operations: 1,
	},
	"a newer version overtakes one that waits": {
		document: with(prodDocument, "branch: env/prod", "autoPromotion: true", ", notBy: promoter", ""),
		begin: func(w *world) {
			w.release("v1")
			w.until("v1 waits", func() bool { return len(w.promotions("prod")) == 1 })
		},
		travel: func(w *world) {
			w.release("v2")
			w.until("v2 waits", func() bool { return len(w.promotions("prod")) == 2 && w.promotions("prod")[0].Phase.Ended() })
			w.approve("bob", w.last("prod").ID)
			w.until("prod is verified", w.verified("prod", "v2"))
		},
		stage: "prod", holds: "v2", history: []string{"v1 Superseded", "v2 Succeeded"}, commits: 1, operations: 1,
	},
	"a rollback": {
		document: devDocument,
		begin: func(w *world) {
			w.release("v1")
			w.until("dev is verified", w.verified("dev", "v1"))
			w.release("v2")
			w.until("dev is verified", w.verified("dev", "v2"))
		},
		travel: func(w *world) {
			w.rollback("alice", "dev", "v1")
			w.until("dev is back", w.verified("dev", "v1"))
		},
		stage: "dev", holds: "v1", history: []string{"v1 Succeeded", "v2 Succeeded", "v1 Succeeded"}, commits: 1, operations: 1,
	},
	"an Application that joins": {
		document: devDocument,
		begin: func(w *world) {
			w.release("v1")
			w.until("dev is verified", w.verified("dev", "v1"))
		},
		travel: func(w *world) {
			w.create(application("late", "dev", "main"))
			w.until("it is live", func() bool { return w.live("late") && w.stage("dev").Running == "" })
		},
		stage: "dev", holds: "v1", history: []string{"v1 Succeeded", "v1 Succeeded"}, commits: 1, operations: 2,
	},
	"an abort after the push": {
		document: devDocument,
		begin:    func(w *world) { w.argo.asleep = true },
		travel: func(w *world) {
			w.release("v1")
			w.until("the waybill is pushed", func() bool { return w.holds("dev") == "v1" })
			w.abort("alice", w.last("dev").ID)
			w.until("it ends", func() bool { return w.stage("dev").Running == "" })
		},
		stage: "dev", holds: "v1", history: []string{"v1 Aborted"}, commits: 1, operations: 0,
	},
	// The default branch moves on each time the proxy is killed: what was pushed
	// before must be found again all the same.
	"a chart that is vendored": {
		document: prodDocument,
		begin: func(w *world) {
			w.git.push(shopRepo, "main", umbrella("1.0.0"))
			w.pinChart(dbPin("2.1.0"))
			w.pass(0)
		},
		travel: func(w *world) {
			w.killed = func() { w.git.push(shopRepo, "main", map[string][]byte{"README": []byte("Later")}) }
			w.approve("bob", w.promote("alice", "prod", "2.1.0").ID)
			w.until("prod is verified", w.verified("prod", "2.1.0"))
		},
		stage: "prod", holds: "2.1.0", history: []string{"2.1.0 Succeeded"}, commits: 1, operations: 1,
	},
	"a document that makes what waits ineligible": {
		document: prodDocument,
		begin: func(w *world) {
			w.release("v1")
			w.pass(0)
			w.promote("alice", "prod", "v1")
			w.pass(0)
		},
		travel: func(w *world) {
			w.rewrite(with(prodDocument, "origin: shop", "origin: base", "stages:", baseWarehouse+"stages:"))
			w.until("it ends", w.ended(w.last("prod").ID))
		},
		stage: "prod", holds: "", history: []string{"v1 Aborted"}, commits: 0, operations: 0,
	},
}

// approvedAsSeen promotes to prod with an approval that is bound to the preview.
func approvedAsSeen(w *world) {
	p := w.promote("alice", "prod", "v1")
	w.mustApprove("bob", p.ID)
	w.until("prod is verified", w.verified("prod", "v1"))
}

// mustApprove approves what the present preview of a promotion to prod shows.
func (w *world) mustApprove(by, id string) {
	w.t.Helper()
	if err := w.approvePreview(by, id, w.preview("prod", "v1").Digest); err != nil {
		w.t.Fatal(err)
	}
}

// start makes the world that the journey begins in.
func (j journey) start(t *testing.T) *world {
	t.Helper()
	var applications []client.Object
	if j.applications != nil {
		applications = j.applications()
	} else {
		applications = append(applications, application(j.stage, j.stage, branchOf(j)))
	}
	w := newWorld(t, j.document, applications...)
	j.begin(w)
	w.pass(0)
	return w
}

// make travels in a copy of the world, with informers that are trails changes
// behind. breaks is asked at each write, with its number from 1.
func (j journey) make(t *testing.T, from *world, trails int, breaks func(n int) fault) *world {
	t.Helper()
	w := from.fork(t)
	w.writes, w.trails = nil, trails
	w.breaks = func(string) fault { return breaks(len(w.writes)) }
	j.travel(w)
	w.breaks = func(string) fault { return none }
	// Nothing comes after the end.
	w.pass(0)
	return w
}

func branchOf(j journey) string {
	if strings.Contains(j.document, "branch: env/prod") {
		return "env/prod"
	}
	return "main"
}

func (j journey) check(t *testing.T, w *world, begun map[string]bool) {
	t.Helper()
	if diff := cmp.Diff(j.history, w.history(j.stage)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if got := w.holds(j.stage); got != j.holds {
		t.Errorf("the stage holds %q, want %q", got, j.holds)
	}
	if s := w.stage(j.stage); s.Running != "" {
		t.Errorf("%s runs still", s.Running)
	}
	commits, operations := 0, 0
	for _, p := range w.promotions(j.stage) {
		if begun[p.ID] {
			continue
		}
		for branch := range w.git.branches {
			repo, name, _ := strings.Cut(branch, " ")
			commits += len(w.git.commitsOf(repo, name, p.ID))
		}
		for app := range w.argo.operations {
			operations += w.argo.started(app, p.ID)
		}
	}
	if commits != j.commits || operations != j.operations {
		t.Errorf("there are %d commits and %d operations, want %d and %d", commits, operations, j.commits, j.operations)
	}
	checkChain(t, w, j.stage)
}

// begun are the promotions that ended before the travel.
func (j journey) begun(from *world) map[string]bool {
	all := map[string]bool{}
	for _, p := range from.promotions(j.stage) {
		all[p.ID] = p.Phase.Ended()
	}
	return all
}

func TestHoweverFarInformersAreBehindTheOutcomeIsTheSame(t *testing.T) {
	for name, j := range journeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := j.start(t)
			for _, trails := range []int{1, 2, 3, 5, 8} {
				w := j.make(t, from, trails, func(int) fault { return none })
				j.check(t, w, j.begun(from))
				if t.Failed() {
					t.Fatalf("%d changes behind: %s", trails, w.describe())
				}
			}
		})
	}
}

func TestWhateverBreaksAtAnyWriteTheOutcomeIsTheSame(t *testing.T) {
	for name, j := range journeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := j.start(t)
			begun := j.begun(from)
			undisturbed := j.make(t, from, 0, func(int) fault { return none })
			j.check(t, undisturbed, begun)
			for _, broken := range faults {
				for n, what := range undisturbed.writes {
					t.Run(fmt.Sprintf("%s, %d %s", broken, n+1, what), func(t *testing.T) {
						w := j.make(t, from, 0, func(at int) fault {
							if at == n+1 {
								return broken
							}
							return none
						})
						j.check(t, w, begun)
						if t.Failed() {
							t.Log(w.describe())
						}
					})
				}
			}
		})
	}
}
