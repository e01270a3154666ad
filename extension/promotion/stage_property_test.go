package promotion_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/promotion"
)

// model is what happened to a stage, told once more in the simplest way: every
// stay of every piece of freight, and when each was verified first.
type model struct {
	stays    map[string][]stay
	verified map[string]time.Time
	holding  map[string]string // by origin
}

type stay struct{ since, until time.Time } // until is zero while it goes on

func (m model) soaked(id string, now time.Time) time.Duration {
	verified, ok := m.verified[id]
	if !ok {
		return 0
	}
	var longest time.Duration
	for _, s := range m.stays[id] {
		from, until := s.since, s.until
		if verified.After(from) {
			from = verified
		}
		if until.IsZero() {
			until = now
		}
		longest = max(longest, until.Sub(from))
	}
	return longest
}

func (m model) enter(carries []promotion.Held, now time.Time) {
	holds := map[string]string{}
	for _, h := range carries {
		holds[h.Origin] = h.Freight
	}
	for origin, id := range m.holding {
		if holds[origin] != id {
			m.stays[id][len(m.stays[id])-1].until = now
		}
	}
	for origin, id := range holds {
		if m.holding[origin] != id {
			m.stays[id] = append(m.stays[id], stay{since: now})
		}
	}
	clear(m.holding)
	for origin, id := range holds {
		m.holding[origin] = id
	}
}

// FuzzAStageKeepsItsPromises plays a script: each byte is a promotion of one of
// some pieces of freight, which passes or not, and some time that goes by.
func FuzzAStageKeepsItsPromises(f *testing.F) {
	f.Add([]byte{})
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		script := make([]byte, random.IntN(200))
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 400)]
		s := promotion.NewStage("waybill/shop", "dev")
		m := model{stays: map[string][]stay{}, verified: map[string]time.Time{}, holding: map[string]string{}}
		now, head, last := noon, "", promotion.Last{}
		for i, b := range script {
			// Two origins of eight pieces each stay below what is remembered.
			origin := []string{"base", "shop"}[b&1]
			freight := fmt.Sprint(origin, b>>1&7)
			passes, minutes := b>>4&1 == 1, time.Duration(b>>5)*time.Minute

			p := promotion.New(s.Pipeline, s.Name, promotion.Held{Origin: origin, Freight: freight}, promotion.Request{By: "alice", At: now}, fmt.Sprint(i))
			s.Begin(p.ID)
			p.Start(s.Serial, s.Carry(promotion.Held{Origin: origin, Freight: freight}, []string{"base", "shop"}), nil, nil, now)
			s.Enter(p, now)
			m.enter(p.Carries, now)
			now = now.Add(minutes)
			p.Phase = promotion.Failed
			if passes {
				p.Phase = promotion.Succeeded
				s.Verify(p, now)
				for _, h := range p.Carries {
					if _, ok := m.verified[h.Freight]; !ok {
						m.verified[h.Freight] = now
					}
				}
			}
			p.Previous = s.Head
			s.Finish(p, p.ID)
			if p.Previous != head {
				t.Fatalf("the record names %q as the previous one, want %q", p.Previous, head)
			}
			head, last = s.Head, promotion.Last{Promotion: p.ID, Freight: freight, Phase: p.Phase}
			check(t, s, m, now)
		}
		if s.Running != "" || s.Serial != int64(len(script)) || len(script) > 0 && *s.Last != last {
			t.Errorf("after %d promotions %q runs, the serial is %d, the last is %+v, want %+v", len(script), s.Running, s.Serial, s.Last, last)
		}
	})
}

func check(t *testing.T, s promotion.Stage, m model, now time.Time) {
	t.Helper()
	holding := map[string]string{}
	for _, l := range s.Current {
		holding[l.Origin] = l.Freight
	}
	if diff := cmp.Diff(m.holding, holding); diff != "" || len(holding) != len(s.Current) {
		t.Fatalf("the stage holds (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(s.Current, func(a, b promotion.Load) int { return strings.Compare(a.Origin, b.Origin) }) {
		t.Fatalf("what it holds is in no order: %+v", s.Current)
	}
	past := map[string]int{}
	for _, l := range s.History {
		past[l.Origin]++
	}
	if past["base"] > 10 || past["shop"] > 10 || len(s.Verified) > 100 || len(s.Declined) > 20 {
		t.Fatalf("it remembers %v loads, %d verifications and %d declined promotions", past, len(s.Verified), len(s.Declined))
	}
	for i, l := range s.History {
		if l.Until == nil || l.Until.Before(l.Since) || i > 0 && l.Until.After(*s.History[i-1].Until) {
			t.Fatalf("the history is not newest first: %+v", s.History)
		}
	}
	if len(s.Verified) != len(m.verified) {
		t.Fatalf("%d pieces of freight are verified, want %d", len(s.Verified), len(m.verified))
	}
	for id := range m.stays {
		want := m.soaked(id, now)
		if got := s.Soaked(id, now); got != want {
			t.Fatalf("%s has soaked %s, want %s", id, got, want)
		}
		if v, ok := s.VerificationOf(id); ok != !m.verified[id].IsZero() || !v.At.Equal(m.verified[id]) {
			t.Fatalf("%s is verified at %v, %t, want %v", id, v.At, ok, m.verified[id])
		}
		required := want + time.Hour
		at, soaks := s.SoakedAt(id, required)
		if soaks != (s.Contains(id) && !m.verified[id].IsZero()) {
			t.Fatalf("%s soaks: %t", id, soaks)
		}
		if soaks && (m.soaked(id, at) < required || m.soaked(id, at.Add(-time.Second)) >= required) {
			t.Fatalf("%s is said to have soaked %s at %s", id, required, at)
		}
	}
	for _, origin := range []string{"base", "shop"} {
		if id, ok := s.Previous(origin); ok && (m.verified[id].IsZero() || m.holding[origin] == id || !strings.HasPrefix(id, origin)) {
			t.Fatalf("a rollback of %s goes to %s", origin, id)
		}
	}
}
