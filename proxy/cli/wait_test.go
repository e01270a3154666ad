package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// course is how a promotion goes: what each look at it shows.
type course struct {
	s     *standIn
	looks []v1.Promotion
	// faults are looks, by number, that fail.
	faults map[int]func(http.ResponseWriter)
	seen   int
	// unchanged counts the answers that said that nothing changed.
	unchanged int
}

func (s *standIn) follow(looks ...v1.Promotion) *course {
	c := &course{s: s, looks: looks, faults: map[int]func(http.ResponseWriter){}}
	id := looks[0].ID
	s.on("POST /pipelines/shop/stages/prod/promotions", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusCreated, looks[0])
	})
	s.on("POST /pipelines/shop/promotions/"+id+"/approve", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, looks[0])
	})
	s.on("GET /pipelines/shop/promotions/"+id, c.look)
	return c
}

// look answers each state twice, the second time as one that has not changed.
func (c *course) look(w http.ResponseWriter, r *http.Request) {
	c.seen++
	if fault := c.faults[c.seen]; fault != nil {
		fault(w)
		return
	}
	i := min((c.seen-1)/2, len(c.looks)-1)
	etag := fmt.Sprintf(`"%d"`, i)
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		c.unchanged++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	reply(w, http.StatusOK, c.looks[i])
}

// states are those of a promotion to prod from the request to its end.
func states(s *standIn, phase promotion.Phase, message string) []v1.Promotion {
	waits := s.pending()
	soaking := s.pending()
	soaking.Waiting = strings.Replace(soaking.Waiting, "0 of 1", "0 of 01", 1)
	approved := s.pending().Promotion
	rule := s.document.Stages[2].Approval
	if err := approved.Approve(rule, promotion.Decision{By: "bob", At: now, Comment: "tested"}); err != nil {
		s.t.Fatal(err)
	}
	running := approved
	running.Start(7, nil, nil, []string{"write-waybill", "sync", "wait"}, now)
	step := func(p promotion.Promotion, i int, phase promotion.Phase) promotion.Promotion {
		p.Steps = append([]promotion.Step(nil), p.Steps...)
		begun, done := now.Add(time.Duration(i)*time.Second), now.Add(time.Duration(i+2)*time.Second)
		p.Steps[i].Phase, p.Steps[i].StartedAt = phase, &begun
		if phase.Ended() {
			p.Steps[i].FinishedAt = &done
		}
		return p
	}
	writing := step(running, 0, promotion.Running)
	syncing := step(step(running, 0, promotion.Succeeded), 1, promotion.Running)
	ended := step(step(step(syncing, 1, promotion.Succeeded), 2, promotion.Running), 2, promotion.Running)
	ended.Applications = []promotion.Result{{Namespace: "argocd", Name: "shop-prod", Phase: phase, Message: message}}
	ended.End(phase, "", message, "", now.Add(9*time.Second))
	all := []v1.Promotion{waits, soaking}
	for _, p := range []promotion.Promotion{approved, running, writing, syncing, ended} {
		all = append(all, v1.Promotion{Promotion: p, Summary: "shop:v1.1.0"})
	}
	return all
}

var promoteAndWait = []string{"promote", "--stage", "prod", "--freight", "v1.1.0", "--key", "k", "--wait"}

func TestWaitingShowsEachChangeOnceUntilTheEnd(t *testing.T) {
	s := newStandIn(t)
	c := s.follow(states(s, promotion.Succeeded, "")...)
	got := run(t, s, promoteAndWait...)
	golden(t, "wait-succeeded.txt", got.out)
	if got.code != ExitOK || got.err != "" {
		t.Errorf("got %+v", got)
	}
	if c.unchanged == 0 {
		t.Error("no look was answered with 304 Not Modified")
	}
}

func TestAPromotionThatEndsBadlyHasItsOwnCode(t *testing.T) {
	for _, phase := range []promotion.Phase{promotion.Failed, promotion.Errored, promotion.Aborted, promotion.Superseded} {
		s := newStandIn(t)
		looks := states(s, phase, "Application argocd/shop-prod is Degraded")
		s.follow(looks...)
		got := run(t, s, promoteAndWait...)
		if got.code != ExitEnded || !strings.Contains(got.err, "has ended: "+string(phase)+": Application argocd/shop-prod is Degraded") {
			t.Errorf("%s: got %+v", phase, got)
		}
		if phase == promotion.Failed {
			golden(t, "wait-failed.txt", got.out)
		}
	}
}

func TestWaitingAfterAnApproval(t *testing.T) {
	s := newStandIn(t)
	looks := states(s, promotion.Succeeded, "")
	s.follow(looks[2:]...)
	got := run(t, s, "approve", looks[0].ID, "--wait")
	if got.code != ExitOK || !strings.Contains(got.out, "approved by bob: tested\n") || !strings.Contains(got.out, "\n[ok] Succeeded (9s)\n") {
		t.Errorf("got %+v", got)
	}
}

func TestAPromotionThatCannotStartForNowTellsWhy(t *testing.T) {
	s := newStandIn(t)
	looks := states(s, promotion.Succeeded, "")
	postponed := looks[2]
	postponed.Message = "it could not be compared with what was approved"
	s.follow(looks[2], postponed, looks[len(looks)-1])
	got := run(t, s, promoteAndWait...)
	if !strings.Contains(got.out, "Pending: waits to start\n") || !strings.Contains(got.out, "Pending: it could not be compared with what was approved\n") {
		t.Errorf("got %+v", got)
	}
}

func TestWaitingForAProgramEndsWithTheDocument(t *testing.T) {
	s := newStandIn(t)
	s.follow(states(s, promotion.Failed, "bad")...)
	got := run(t, s, append(promoteAndWait, "-o", "json")...)
	var p v1.Promotion
	if err := json.Unmarshal([]byte(got.out), &p); err != nil || p.Phase != promotion.Failed || got.code != ExitEnded {
		t.Errorf("got %+v, %v", got, err)
	}
	if !strings.Contains(got.err, "[no] Failed (9s): bad") {
		t.Errorf("no progress on standard error: %s", got.err)
	}
}

func TestWaitingEndsWithItsTime(t *testing.T) {
	s := newStandIn(t)
	s.follow(s.pending())
	got := run(t, s, append(promoteAndWait, "--timeout", "30ms")...)
	if got.code != ExitTimeout || !strings.Contains(got.err, "30ms has passed: promotion "+s.pending().ID+" goes on") || !strings.Contains(got.err, "it waits: approval 0 of 1") {
		t.Errorf("got %+v", got)
	}
}

func TestAnInterruptStopsWaitingAndSaysThatThePromotionGoesOn(t *testing.T) {
	s := newStandIn(t)
	c := s.follow(s.pending())
	ctx, interrupt := context.WithCancel(t.Context())
	c.faults[3] = func(http.ResponseWriter) { interrupt() }
	got := runWith(t, ctx, s, "", promoteAndWait...)
	if got.code != ExitInterrupted || !strings.Contains(got.err, "stopped waiting: promotion "+s.pending().ID+" goes on") || !strings.Contains(got.err, "argocd-waybill abort") {
		t.Errorf("got %+v", got)
	}
}

func TestAFaultOnTheWayDoesNotEndTheWait(t *testing.T) {
	s := newStandIn(t)
	c := s.follow(states(s, promotion.Succeeded, "")...)
	for _, n := range []int{2, 3, 7} {
		c.faults[n] = func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }
	}
	got := run(t, s, promoteAndWait...)
	if got.code != ExitOK || strings.Count(got.out, "trying again") != 2 {
		t.Errorf("want two streaks of faults told once each, got %+v", got)
	}
}

func TestALostSessionEndsTheWaitAtOnce(t *testing.T) {
	s := newStandIn(t)
	c := s.follow(s.pending())
	c.faults[2] = func(w http.ResponseWriter) {
		s.loggedIn = false
		http.Error(w, "Invalid token", http.StatusUnauthorized)
	}
	got := run(t, s, promoteAndWait...)
	if got.code != ExitError || !strings.Contains(got.err, "has ended: set another token in ARGOCD_AUTH_TOKEN; promotion "+s.pending().ID+" goes on") {
		t.Errorf("got %+v", got)
	}
}

func TestATerminalGetsAStatusThatIsDrawnOver(t *testing.T) {
	s := newStandIn(t)
	looks := states(s, promotion.Succeeded, "")
	var out bytes.Buffer
	progress := newProgress(&out, style{terminal: true})
	progress.show(looks[0])
	progress.status(looks[0], 65*time.Second)
	progress.show(looks[len(looks)-1])
	text := out.String()
	if !strings.Contains(text, "1m5s approval 0 of 1") || !strings.Contains(text, "\r\x1b[K✓ approved by bob") || !strings.HasSuffix(text, "✓ Succeeded (9s)\n") {
		t.Errorf("got %q", text)
	}
	for _, line := range strings.Split(text, "\r\x1b[K") {
		status := line[strings.LastIndex(line, "\n")+1:]
		if n := len([]rune(status)); n > statusWidth {
			t.Errorf("a status of %d characters: %q", n, status)
		}
	}
}
