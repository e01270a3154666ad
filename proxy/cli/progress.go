package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// progress shows what changes in a promotion, each change once. On a terminal a
// status that is drawn over follows the lines.
type progress struct {
	out   io.Writer
	style style
	shown map[string]bool
	// drawn tells that a status stands on the terminal.
	drawn bool
	// troubled tells that the last look failed, and was told of.
	troubled bool
}

func newProgress(out io.Writer, s style) *progress {
	return &progress{out: out, style: s, shown: map[string]bool{}}
}

// show prints what is new since the last time.
func (g *progress) show(p v1.Promotion) {
	for _, a := range p.Approvals {
		seen := ""
		if a.Preview != "" {
			seen = ", as previewed"
		}
		g.once("approval "+a.By+a.Preview, markYes, "approved by "+a.By+seen+comment(a.Comment))
		if a.Outdated != "" {
			g.once("outdated "+a.By+a.Preview, markNo, "the approval by "+a.By+" counts no longer: "+a.Outdated)
		}
	}
	_, ending, ends := p.Ending()
	switch {
	case p.Phase.Ended():
	case ends:
		// The engine has still to carry out what a person decided.
		g.once("ending", markWait, ending)
	case p.Phase == promotion.Pending:
		// A promotion that cannot start for now tells why in its message.
		g.once("pending "+blockers(p)+p.Message, markWait, "Pending: "+cmp.Or(p.Waiting, p.Message, "waits to start"))
	case p.Phase == promotion.Running:
		g.once("running", markWait, "Running")
	}
	for _, s := range p.Steps {
		g.step("step "+s.Name, s.Name, s.Phase, s.Message, took(s.StartedAt, s.FinishedAt))
	}
	for _, a := range p.Applications {
		name := a.Namespace + "/" + a.Name
		g.step("application "+name, "Application "+name, a.Phase, a.Message, "")
	}
	if p.Phase.Ended() {
		sentence := string(p.Phase) + took(p.StartedAt, p.FinishedAt)
		if p.Message != "" {
			sentence += ": " + p.Message
		}
		g.once("end", markOfPhase(p.Phase), sentence)
	}
}

// step prints a part that has begun, once for each phase that it gets to.
func (g *progress) step(key, name string, phase promotion.Phase, message, took string) {
	if phase == promotion.Pending || phase == "" {
		return
	}
	sentence := name + took
	if phase.Ended() && phase != promotion.Succeeded {
		sentence = name + ": " + string(phase) + took
		if message != "" {
			sentence += ": " + message
		}
	}
	g.once(key+" "+string(phase), markOfPhase(phase), "  "+sentence)
}

// maxShown bounds the memory of what was shown; past it a change may show twice.
const maxShown = 1000

func (g *progress) once(key string, m mark, sentence string) {
	if g.shown[key] {
		return
	}
	if len(g.shown) >= maxShown {
		clear(g.shown)
	}
	g.shown[key] = true
	g.clear()
	indent := sentence[:len(sentence)-len(strings.TrimLeft(sentence, " "))]
	fmt.Fprintf(g.out, "%s%s %s\n", indent, g.style.mark(m), clean(strings.TrimLeft(sentence, " ")))
}

// trouble tells of a look that failed and is made again, once until one succeeds.
func (g *progress) trouble(err error) {
	if !g.troubled {
		g.troubled = true
		g.clear()
		fmt.Fprintf(g.out, "%s %s: trying again\n", g.style.mark(markWait), clean(err.Error()))
	}
}

// statusWidth keeps the status on one line of a narrow terminal.
const statusWidth = 76

// status draws, on a terminal, what is waited for and for how long.
func (g *progress) status(p v1.Promotion, waited time.Duration) {
	if !g.style.terminal {
		return
	}
	what := p.Waiting
	for _, s := range p.Steps {
		if s.Phase == promotion.Running {
			what = cmp.Or(s.Message, s.Name)
		}
	}
	line := []rune(clean(fmt.Sprintf("%s %s", waited.Round(time.Second), what)))
	if len(line) > statusWidth {
		line = append(line[:statusWidth-1], '…')
	}
	g.clear()
	fmt.Fprint(g.out, string(line))
	g.drawn = true
}

// clear takes the status off the terminal.
func (g *progress) clear() {
	if g.drawn {
		fmt.Fprint(g.out, "\r\x1b[K")
		g.drawn = false
	}
}

// blockers names what a promotion waits for, without the numbers that change
// while it waits.
func blockers(p v1.Promotion) string {
	if p.Verdict == nil {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, p.Waiting)
	}
	names := fmt.Sprintf("%d", len(p.ApprovedBy()))
	for _, gate := range p.Verdict.Gates {
		if !gate.Pass {
			names += " " + gate.Name
		}
	}
	return names
}

func markOfPhase(phase promotion.Phase) mark {
	switch phase {
	case promotion.Succeeded:
		return markYes
	case promotion.Pending, promotion.Running:
		return markWait
	default:
		return markNo
	}
}

func took(from, until *time.Time) string {
	if from == nil || until == nil {
		return ""
	}
	return fmt.Sprintf(" (%s)", until.Sub(*from))
}

func comment(said string) string {
	if said == "" {
		return ""
	}
	return ": " + said
}
