package cli

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/waybill-cd/waybill/extension/eligibility"
	"github.com/waybill-cd/waybill/extension/freight"
)

// branches are the strokes of a tree.
type branches struct{ fork, last, trunk, gap, remedy string }

func (s style) branches() branches {
	if s.terminal {
		return branches{fork: "├─ ", last: "└─ ", trunk: "│  ", gap: "   ", remedy: "→ "}
	}
	return branches{fork: "|- ", last: "`- ", trunk: "|  ", gap: "   ", remedy: "-> "}
}

// verdict draws the tree of gates between freight and a stage, each with its
// fact, and with its remedy where it does not pass. what names the freight; its
// ID does where it is empty.
func (s style) verdict(v eligibility.Verdict, what string, now time.Time) string {
	var b strings.Builder
	if what == "" {
		what = freight.Short(v.Freight)
	}
	sentence, m := "is refused", markNo
	switch {
	case v.Ready:
		sentence, m = "may go, and could start now", markYes
	case v.Allowed:
		sentence, m = "may be asked for, and would wait", markWait
	}
	fmt.Fprintf(&b, "%s %s to %s %s\n", s.mark(m), clean(what), clean(v.Stage), sentence)
	s.gates(&b, v.Gates, "", now)
	return b.String()
}

func (s style) gates(b *strings.Builder, gates []eligibility.Gate, indent string, now time.Time) {
	strokes := s.branches()
	for i, g := range gates {
		g = flat(g)
		stroke, below := strokes.fork, indent+strokes.trunk
		if i == len(gates)-1 {
			stroke, below = strokes.last, indent+strokes.gap
		}
		fmt.Fprintf(b, "%s%s%s %s: %s\n", indent, stroke, s.mark(markOf(g)), clean(g.Name), clean(gateFact(g)))
		if remedy := gateRemedy(g, now); remedy != "" {
			fmt.Fprintf(b, "%s  %s%s\n", below, strokes.remedy, clean(remedy))
		}
		s.gates(b, g.Gates, below, now)
	}
}

// flat puts in the place of a gate of one gate that one, under the outer name:
// it rests on the more exact fact.
func flat(g eligibility.Gate) eligibility.Gate {
	for len(g.Gates) == 1 {
		name := g.Name
		g = g.Gates[0]
		g.Name = name
	}
	return g
}

func markOf(g eligibility.Gate) mark {
	switch {
	case g.Pass:
		return markYes
	case g.Waits:
		return markWait
	default:
		return markNo
	}
}

func gateFact(g eligibility.Gate) string {
	switch {
	case len(g.Gates) == 0:
		return g.Fact
	case g.Any && g.Pass:
		return "one of these passes"
	case g.Any:
		return "one of these must pass"
	case g.Pass:
		return "all of these pass"
	default:
		return "all of these must pass"
	}
}

func gateRemedy(g eligibility.Gate, now time.Time) string {
	if g.Pass || len(g.Gates) > 0 {
		return ""
	}
	remedy := g.Remedy
	if g.Until == nil {
		return remedy
	}
	if at := g.Until.Format(time.RFC3339); !strings.Contains(remedy, at) {
		remedy = strings.TrimPrefix(remedy+", or wait until "+at, ", or ")
	}
	return fmt.Sprintf("%s (in %s)", remedy, duration.HumanDuration(g.Until.Sub(now)))
}
