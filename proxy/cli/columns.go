package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func pipelineColumns() []column[v1.PipelineSummary] {
	type summary = v1.PipelineSummary
	problems := func(s summary) string {
		lines := make([]string, len(s.Problems))
		for i, p := range s.Problems {
			lines[i] = p.String()
		}
		return strings.Join(lines, "; ")
	}
	return []column[summary]{
		{title: "PIPELINE", cell: func(s summary) string { return shortPipeline(s.Name) }},
		{title: "PROJECT", cell: func(s summary) string { return s.Project }},
		{title: "WAREHOUSES", cell: func(s summary) string { return strings.Join(s.Warehouses, ",") }},
		{title: "STAGES", cell: func(s summary) string { return strings.Join(s.Stages, ",") }},
		{title: "PROBLEMS", cell: problems},
	}
}

func (c *command) stageColumns() []column[v1.Stage] {
	return []column[v1.Stage]{
		{title: "STAGE", cell: func(s v1.Stage) string { return s.Name }},
		{title: "FREIGHT", cell: func(s v1.Stage) string {
			return join("; ", s.Current, func(l v1.Load) string { return cmp.Or(l.Summary, freight.Short(l.Freight)) })
		}},
		{title: "ALIAS", cell: func(s v1.Stage) string {
			return join(",", s.Current, func(l v1.Load) string { return l.Alias })
		}},
		{title: "ID", wide: true, cell: func(s v1.Stage) string {
			return join(",", s.Current, func(l v1.Load) string { return freight.Short(l.Freight) })
		}},
		{title: "SINCE", wide: true, cell: func(s v1.Stage) string {
			return join(",", s.Current, func(l v1.Load) string { return c.age(l.Since) + " ago" })
		}},
		{title: "VERIFIED", cell: c.verified},
		{title: "SYNC", cell: func(s v1.Stage) string {
			return worst(s.Applications, func(a v1.BoundApplication) string { return a.Sync }, "Synced", "OutOfSync")
		}},
		{title: "HEALTH", cell: func(s v1.Stage) string {
			return worst(s.Applications, func(a v1.BoundApplication) string { return a.Health }, "Healthy", "Suspended", "Progressing", "Missing", "Degraded")
		}},
		{title: "APPLICATIONS", wide: true, cell: func(s v1.Stage) string {
			return join(",", s.Applications, func(a v1.BoundApplication) string { return a.Namespace + "/" + a.Name })
		}},
		{title: "APPROVAL", wide: true, cell: approvalRule},
		{title: "AUTO", wide: true, cell: automation},
		{title: "PROMOTION", cell: activity},
		{title: "HOLD", cell: func(s v1.Stage) string {
			return join(", ", s.Holds, func(h promotion.Hold) string { return "by " + h.By })
		}},
		{title: "PROBLEMS", wide: true, cell: stageProblems},
	}
}

// stageProblems tells what keeps Applications from joining, and what Argo CD
// cannot do with those that have.
func stageProblems(s v1.Stage) string {
	problems := slices.Clone(s.Problems)
	for _, a := range s.Applications {
		if a.Trouble != "" {
			problems = append(problems, a.Name+": "+a.Trouble)
		}
	}
	return strings.Join(problems, "; ")
}

// verified tells since when all that the stage holds has passed there: the first
// time that it did, on which the stages after this one rest.
func (c *command) verified(s v1.Stage) string {
	var newest time.Time
	for _, l := range s.Current {
		if l.VerifiedAt == nil {
			return "no"
		}
		if l.VerifiedAt.After(newest) {
			newest = *l.VerifiedAt
		}
	}
	if newest.IsZero() {
		return ""
	}
	return c.age(newest) + " ago"
}

// worst shows the state of several Applications as the worst of them, with the
// number that are in it where they differ. states go from good to bad; what is
// not among them is worse than all.
func worst(all []v1.BoundApplication, state func(v1.BoundApplication) string, states ...string) string {
	rank := func(s string) int {
		if i := slices.Index(states, s); i >= 0 {
			return i
		}
		return len(states)
	}
	shown, count := "", 0
	for _, a := range all {
		s := cmp.Or(state(a), "Unknown")
		switch {
		case count == 0 || rank(s) > rank(shown):
			shown, count = s, 1
		case s == shown:
			count++
		}
	}
	if count < len(all) {
		return fmt.Sprintf("%s %d/%d", shown, count, len(all))
	}
	return shown
}

func approvalRule(s v1.Stage) string {
	if s.Approval == nil {
		return ""
	}
	rule := fmt.Sprintf("%d", s.Approval.Required)
	if s.Approval.NotBy != "" {
		rule += ", not by " + s.Approval.NotBy
	}
	return rule
}

func automation(s v1.Stage) string {
	if !s.AutoPromotion {
		return "no"
	}
	why := join("; ", s.Automation, func(a v1.Automation) string { return a.Why })
	return cmp.Or(why, "yes")
}

// activity tells what runs or waits in a stage, else what went wrong last.
func activity(s v1.Stage) string {
	var parts []string
	if s.Running != nil {
		parts = append(parts, "Running "+s.Running.ID)
	}
	if len(s.Pending) > 0 {
		parts = append(parts, "Pending "+s.Pending[0].ID)
	}
	if more := len(s.Pending) - 1; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if len(parts) == 0 && s.Last != nil && s.Last.Phase != promotion.Succeeded {
		parts = append(parts, fmt.Sprintf("%s %s", s.Last.Phase, s.Last.Promotion))
	}
	return strings.Join(parts, ", ")
}

func (c *command) freightColumns() []column[v1.Freight] {
	return []column[v1.Freight]{
		{title: "FREIGHT", cell: func(f v1.Freight) string { return freight.Short(f.ID) }},
		{title: "ALIAS", cell: func(f v1.Freight) string { return f.Alias }},
		{title: "CONTENT", cell: func(f v1.Freight) string { return cmp.Or(f.Summary, f.Artifacts.Summary()) }},
		{title: "ORIGIN", cell: func(f v1.Freight) string { return f.Origin }},
		{title: "IN", cell: func(f v1.Freight) string { return strings.Join(f.Stages, ",") }},
		{title: "VERIFIED-IN", cell: func(f v1.Freight) string { return strings.Join(f.VerifiedIn, ",") }},
		{title: "AGE", cell: func(f v1.Freight) string { return c.age(f.DiscoveredAt) }},
		{title: "SUBJECT", wide: true, cell: func(f v1.Freight) string {
			return join("; ", f.Details, func(d freight.Detail) string { return d.Subject })
		}},
		{title: "AUTHOR", wide: true, cell: func(f v1.Freight) string {
			return join("; ", f.Details, func(d freight.Detail) string { return d.Author })
		}},
		{title: "BY", wide: true, cell: func(f v1.Freight) string { return f.CreatedBy }},
		{title: "ID", wide: true, cell: func(f v1.Freight) string { return f.ID }},
		{title: "PINS", wide: true, cell: pins},
	}
}

// called names freight in a sentence: its alias and its artifacts in a few words, and
// where nobody knows these any more, the beginning of its ID.
func called(alias, summary, id string) string {
	return cmp.Or(strings.TrimSpace(alias+" "+summary), freight.Short(id))
}

func pins(f v1.Freight) string {
	var all []string
	for _, i := range f.Images {
		all = append(all, i.RepoURL+"@"+i.Digest)
	}
	for _, k := range f.Commits {
		all = append(all, k.RepoURL+"@"+k.ID)
	}
	for _, k := range f.Charts {
		all = append(all, strings.TrimSuffix(k.RepoURL+"/"+k.Name, "/")+"@"+cmp.Or(k.Digest, k.Version))
	}
	return strings.Join(all, ", ")
}

func (c *command) promotionColumns() []column[v1.Promotion] {
	return []column[v1.Promotion]{
		{title: "PROMOTION", cell: func(p v1.Promotion) string { return p.ID }},
		{title: "STAGE", cell: func(p v1.Promotion) string { return p.Stage }},
		{title: "FREIGHT", cell: func(p v1.Promotion) string { return cmp.Or(p.Summary, freight.Short(p.Freight)) }},
		{title: "ALIAS", cell: func(p v1.Promotion) string { return p.Alias }},
		{title: "ID", wide: true, cell: func(p v1.Promotion) string { return freight.Short(p.Freight) }},
		{title: "PHASE", cell: func(p v1.Promotion) string { return string(p.Phase) }},
		{title: "BY", cell: func(p v1.Promotion) string { return p.Request.By }},
		{title: "REASON", wide: true, cell: func(p v1.Promotion) string { return p.Request.Reason }},
		{title: "APPROVED-BY", cell: func(p v1.Promotion) string { return strings.Join(p.ApprovedBy(), ",") }},
		{title: "AGE", cell: func(p v1.Promotion) string { return c.age(p.Request.At) }},
		{title: "DETAIL", cell: promotionDetail},
	}
}

// join shows all of a list that shows as anything.
func join[T any](separator string, all []T, show func(T) string) string {
	var parts []string
	for _, item := range all {
		if s := show(item); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, separator)
}

// promotionDetail tells what a promotion waits for or ended with, and where it
// goes back, why.
func promotionDetail(p v1.Promotion) string {
	detail := cmp.Or(p.Waiting, p.Message)
	if !p.Request.Rollback {
		return detail
	}
	parts := []string{"rollback: " + p.Request.Reason}
	if detail != "" {
		parts = append(parts, detail)
	}
	return strings.Join(parts, "; ")
}
