package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// verb is an action on stages, as Argo CD's policy names it.
type verb string

const (
	promote verb = "promote"
	approve verb = "approve"
)

// maxObjects bounds how many Applications the policy is asked about.
const maxObjects = 200

// target is an Application in Argo CD's policy.
type target struct{ project, object string }

// policies tells who may do what by Argo CD's policy. It takes two rights: to
// pass a gate, and to act on the Applications of a stage.
func policies(in Installation) []finding.Finding {
	l := finding.For(CheckPolicy)
	if in.Policy.Err != nil {
		return nil
	}
	r, err := newRBAC(in.Policy.Value.Data, in.Projects.Value)
	if err != nil {
		l.Fail("mend argocd-rbac-cm (argocd admin settings rbac validate)", "Argo CD rejects its policy, so that nobody may do anything: %v", err)
		return l.All()
	}
	verbs := verbsOf(in)
	for _, gate := range gatesOf(in) {
		holders(l, in, r, gate, verbs[gate])
	}
	loose(l, in, r)
	projectRoles(l, in)
	for _, gate := range slices.Sorted(maps.Keys(verbs)) {
		for _, v := range verbs[gate] {
			halves(l, in, r, gate, v)
		}
	}
	stages(l, in, r)
	return l.All()
}

// verbsOf returns what each gate but the one for reading is for.
func verbsOf(in Installation) map[string][]verb {
	verbs := map[string][]verb{pipeline.GatePromote: {promote}, pipeline.GateApprove: {approve}}
	for _, p := range documents(in) {
		for _, use := range []struct {
			gate string
			verb verb
		}{{p.document.Gates.Promote, promote}, {p.document.Gates.Approve, approve}} {
			if !slices.Contains(verbs[use.gate], use.verb) {
				verbs[use.gate] = append(verbs[use.gate], use.verb)
			}
		}
	}
	return verbs
}

// holders tells who passes a gate.
func holders(l *finding.List, in Installation, r *rbac, gate string, verbs []verb) {
	var all []string
	for _, subject := range r.subjects() {
		if r.passes(subject, gate) {
			all = append(all, subject)
		}
	}
	if r.everybody(gate) {
		if len(verbs) > 0 {
			l.Warn("grant the gate to roles of their own, and not to the default role", "everybody who is logged in passes gate %s, by the default role %s", gate, r.defaultRole)
			return
		}
		l.OK("everybody who is logged in passes gate %s, by the default role %s", gate, r.defaultRole)
		return
	}
	if len(all) == 0 {
		l.Fail(grantGate(in, gate), "nobody may pass gate %s, not even role:admin", gate)
		return
	}
	l.OK("gate %s: %s", gate, finding.Names(all))
	l.About(all)
}

// loose tells of lines for one gate that are for others too: in Argo CD's match
// mode regex the name of a gate matches whatever it is a part of.
func loose(l *finding.List, in Installation, r *rbac) {
	if r.matchMode != matchRegex {
		return
	}
	for _, gate := range gatesOf(in) {
		var more []string
		for _, other := range gatesOf(in) {
			if other != gate && strings.Contains(other, gate) {
				more = append(more, other)
			}
		}
		written := slices.ContainsFunc(r.lines, func(line []string) bool {
			const resource, object = 2, 4
			return line[0] == "p" && line[resource] == "extensions" && line[object] == gate
		})
		if written && len(more) > 0 {
			l.Fail("write ^"+gate+"$ in each line for that gate", "policy.matchMode is regex, in which a line for gate %s is for %s too", gate, finding.Names(more))
		}
	}
}

// projectRoles tells of rights that an AppProject's role cannot grant.
func projectRoles(l *finding.List, in Installation) {
	for _, p := range in.Projects.Value {
		for _, role := range p.Spec.Roles {
			for _, line := range role.Policies {
				if fields := strings.Split(line, ","); len(fields) > 2 && strings.TrimSpace(fields[2]) == "extensions" {
					l.Warn("grant it in argocd-rbac-cm, to proj:"+p.Meta.Name+":"+role.Name, "role %s of AppProject %s grants extensions, which only argocd-rbac-cm can", role.Name, p.Meta.Name)
				}
			}
		}
	}
}

// targets returns the bound Applications as Argo CD's policy names them, the
// first of many.
func targets(in Installation, bound []Application) []target {
	var all []target
	for _, a := range bound {
		if len(all) == maxObjects {
			break
		}
		object := a.project() + "/" + a.Meta.Name
		if a.Meta.Namespace != in.ArgoCDNamespace {
			object = a.project() + "/" + a.Meta.Namespace + "/" + a.Meta.Name
		}
		all = append(all, target{a.project(), object})
	}
	return all
}

// halves tells of those who have one of the two rights alone.
func halves(l *finding.List, in Installation, r *rbac, gate string, v verb) {
	all := targets(in, in.Applications.Value)
	if len(all) == 0 {
		return
	}
	var gateOnly, actionOnly, groups []string
	for _, subject := range r.subjects() {
		passes := r.passes(subject, gate)
		if !passes && !grants(r, subject, v) {
			continue
		}
		acts := slices.ContainsFunc(all, func(t target) bool { return r.acts(subject, string(v), t.project, t.object) })
		switch {
		case passes && !acts:
			gateOnly = append(gateOnly, subject)
		case acts && !passes && !r.everybody(gate):
			actionOnly = append(actionOnly, subject)
		case passes && acts && !isRole(subject) && !isUser(in, subject):
			groups = append(groups, subject)
		}
	}
	if len(gateOnly) > 0 {
		l.Warn(fmt.Sprintf("add p, <role>, applications, action/waybill.dev/Stage/%s, <project>/<application>, allow, or take the gate away", v),
			"they pass gate %s, but may %s to no stage: %s", gate, v, finding.Names(gateOnly))
		l.About(gateOnly)
	}
	if len(actionOnly) > 0 {
		l.Warn("add p, <role>, extensions, invoke, "+gate+", allow, or take the action away", "they may %s, but do not pass gate %s: %s", v, gate, finding.Names(actionOnly))
		l.About(actionOnly)
	}
	if len(groups) > 0 {
		l.Warn("name the people: g, <username>, <role>",
			"Waybill asks the policy by username alone, since a client can forge groups: if these are groups, their members pass gate %s and may still not %s: %s", gate, v, finding.Names(groups))
		l.About(groups)
	}
}

// grants tells whether the policy itself gives a subject an action by the name of
// it, and not by a pattern for all actions: whoever has those was not given the
// one for Waybill.
func grants(r *rbac, subject string, v verb) bool {
	return slices.ContainsFunc(r.lines, func(line []string) bool {
		const action = 3
		return line[0] == "p" && line[1] == subject && strings.HasPrefix(line[action], "action/waybill.dev/") &&
			(strings.HasSuffix(line[action], "*") || strings.HasSuffix(line[action], "/"+string(v)))
	})
}

// isUser tells whether a subject is surely a user, and no group: a local account,
// an e-mail address, or a project's token.
func isUser(in Installation, subject string) bool {
	_, local := in.Settings.Value.Data["accounts."+subject]
	return subject == "admin" || local || strings.Contains(subject, "@") || strings.HasPrefix(subject, "proj:")
}

// stages tells for each stage who may promote to it and who may approve.
func stages(l *finding.List, in Installation, r *rbac) {
	bound := map[string][]Application{}
	for _, a := range in.Applications.Value {
		if name, err := a.stage(); err == nil {
			bound[name.String()] = append(bound[name.String()], a)
		}
	}
	lines := 0
	for _, p := range documents(in) {
		for _, s := range p.document.Stages {
			name := pipeline.StageName{Pipeline: p.name, Stage: s.Name}
			apps := targets(in, bound[name.String()])
			if len(apps) == 0 || s.ControlFlow {
				continue
			}
			if lines++; lines > maxStageLines {
				l.OK("further stages were not looked at: %d is the most", maxStageLines)
				return
			}
			may(l, r, name, p.document.Gates.Promote, promote, apps, s.AutoPromotion)
			if s.Approval != nil && s.Approval.Required > 0 {
				may(l, r, name, p.document.Gates.Approve, approve, apps, false)
			}
		}
	}
}

// may tells who has both rights for all Applications of a stage.
func may(l *finding.List, r *rbac, stage pipeline.StageName, gate string, v verb, apps []target, automatic bool) {
	can := func(subject string) bool {
		return (r.passes(subject, gate) || r.everybody(gate)) &&
			!slices.ContainsFunc(apps, func(t target) bool { return !r.acts(subject, string(v), t.project, t.object) })
	}
	names := slices.DeleteFunc(r.subjects(), func(s string) bool { return !can(s) })
	switch {
	case r.defaultRole != "" && can(r.defaultRole):
		l.Warn("grant it to roles of their own, and not to the default role", "everybody who is logged in may %s to stage %s", v, stage)
	case !slices.ContainsFunc(names, func(s string) bool { return !isRole(s) || len(r.members(s)) > 0 }) && !automatic:
		l.Warn(fmt.Sprintf("give a role of somebody's both: p, <role>, extensions, invoke, %s, allow and p, <role>, applications, action/waybill.dev/Stage/%s, %s, allow", gate, v, apps[0].object),
			"nobody may %s to stage %s", v, stage)
	default:
		l.OK("to stage %s may %s: %s", stage, v, finding.Names(names))
		l.About(names)
	}
}
