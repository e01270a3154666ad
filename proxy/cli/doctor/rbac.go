package doctor

import (
	"encoding/csv"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v2/assets"
	"github.com/argoproj/argo-cd/v2/util/glob"
	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/util"
)

// The keys of argocd-rbac-cm (argo-cd, util/rbac).
const (
	keyPolicy      = "policy.csv"
	keyDefaultRole = "policy.default"
	keyMatchMode   = "policy.matchMode"
	matchRegex     = "regex"
)

// rbac is Argo CD's policy: evaluated by the library, the model and the built-in
// policy that Argo CD evaluates it by. Its own package around them is not used
// here: it links every client of Kubernetes', which the command line does
// without.
type rbac struct {
	lines       [][]string // p and g lines, without comments
	matchMode   string
	defaultRole string
	roles       map[string][]ProjectRole
	// asked are the enforcers for one subject each, by subject and project.
	asked map[[2]string]*casbin.Enforcer
	model model.Model
}

// newRBAC reads the policy. The error is that for which Argo CD rejects the
// whole policy.
func newRBAC(data map[string]string, projects []Project) (*rbac, error) {
	builtin, err := assets.Embedded.ReadFile("builtin-policy.csv")
	if err != nil {
		return nil, fmt.Errorf("Argo CD's built-in policy cannot be read: %w", err)
	}
	lines, err := policyLines(string(builtin) + "\n" + policyText(data))
	if err != nil {
		return nil, err
	}
	text, err := assets.Embedded.ReadFile("model.conf")
	if err != nil {
		return nil, fmt.Errorf("Argo CD's model of policies cannot be read: %w", err)
	}
	m, err := model.NewModelFromString(string(text))
	if err != nil {
		return nil, fmt.Errorf("Argo CD's model of policies cannot be read: %w", err)
	}
	r := &rbac{
		lines: lines, matchMode: data[keyMatchMode], defaultRole: data[keyDefaultRole],
		roles: map[string][]ProjectRole{}, asked: map[[2]string]*casbin.Enforcer{}, model: m,
	}
	for _, p := range projects {
		r.roles[p.Meta.Name] = p.Spec.Roles
	}
	return r, nil
}

// policyText joins policy.csv and every policy.<name>.csv (argo-cd, util/rbac,
// PolicyCSV).
func policyText(data map[string]string) string {
	texts := []string{data[keyPolicy]}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if key != keyPolicy && strings.HasPrefix(key, "policy.") && strings.HasSuffix(key, ".csv") {
			texts = append(texts, data[key])
		}
	}
	return strings.Join(texts, "\n")
}

// policyLines reads a policy as Argo CD does (util/rbac, loadPolicyLine).
func policyLines(text string) ([][]string, error) {
	var lines [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		reader := csv.NewReader(strings.NewReader(line))
		reader.TrimLeadingSpace = true
		tokens, err := reader.Read()
		const grant, membership = 6, 3
		known := err == nil && (tokens[0] == "p" && len(tokens) == grant || tokens[0] == "g" && len(tokens) == membership)
		if !known {
			return nil, fmt.Errorf("the line %s is none of a policy: want p, <subject>, <resource>, <action>, <object>, allow|deny or g, <subject>, <role>", quoted(line))
		}
		lines = append(lines, tokens)
	}
	return lines, nil
}

// enforcer makes one of the lines that may be true of a subject. A policy that
// cannot be evaluated allows nothing.
func (r *rbac) enforcer(lines [][]string) *casbin.Enforcer {
	m := r.model.Copy()
	for _, line := range lines {
		section := line[0]
		m[section][section].Policy = append(m[section][section].Policy, line[1:])
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil
	}
	match := globMatch
	if r.matchMode == matchRegex {
		match = util.RegexMatchFunc
	}
	e.AddFunction("globOrRegexMatch", match)
	if e.BuildRoleLinks() != nil {
		return nil
	}
	return e
}

// globMatch is Argo CD's (util/rbac, globMatchFunc).
func globMatch(args ...any) (any, error) {
	const two = 2
	if len(args) < two {
		return false, nil
	}
	value, isText := args[0].(string)
	pattern, isPattern := args[1].(string)
	if !isText || !isPattern {
		return false, nil
	}
	// A pattern that does not compile matches nothing; Argo CD logs it.
	matches, err := glob.MatchWithError(pattern, value)
	return matches && err == nil, nil
}

// passes tells whether a subject may invoke an extension. The role of everybody
// is not counted, see [rbac.everybody].
func (r *rbac) passes(subject, gate string) bool {
	return r.allowed(subject, "", "extensions", "invoke", gate)
}

// everybody tells whether the default role may.
func (r *rbac) everybody(gate string) bool {
	return r.defaultRole != "" && r.passes(r.defaultRole, gate)
}

// acts tells whether a subject may do an action of Waybill's to an Application,
// by the policy and by the roles of its AppProject, as itself or as everybody.
func (r *rbac) acts(subject, verb, project, object string) bool {
	action := "action/waybill.dev/Stage/" + verb
	return r.allowed(subject, project, "applications", action, object) ||
		r.defaultRole != "" && r.allowed(r.defaultRole, project, "applications", action, object)
}

// allowed asks the policy, with the roles of a project if one is named.
func (r *rbac) allowed(subject, project, resource, action, object string) bool {
	e := r.of(subject, project)
	if e == nil {
		return false
	}
	ok, err := e.Enforce(subject, resource, action, object)
	return ok && err == nil
}

// of returns the part of the policy that may be true of a subject; nil where
// there is none. To evaluate all of it would take as many steps as it has lines,
// for each subject and each object.
func (r *rbac) of(subject, project string) *casbin.Enforcer {
	key := [2]string{subject, project}
	e, made := r.asked[key]
	if made {
		return e
	}
	more := r.projectLines(project)
	if project != "" && len(more) == 0 {
		e = r.of(subject, "")
	} else {
		e = r.about(subject, append(slices.Clone(r.lines), more...))
	}
	r.asked[key] = e
	return e
}

// about makes an enforcer of the lines that are about a subject and its roles.
func (r *rbac) about(subject string, lines [][]string) *casbin.Enforcer {
	names := closure(lines, subject)
	var own [][]string
	for _, line := range lines {
		if names[line[1]] && !elseResource(line) {
			own = append(own, line)
		}
	}
	if !slices.ContainsFunc(own, func(line []string) bool { return line[0] == "p" }) {
		return nil
	}
	return r.enforcer(own)
}

// closure returns a subject with all the roles that it has, one by the other.
func closure(lines [][]string, subject string) map[string]bool {
	names := map[string]bool{subject: true}
	for next := []string{subject}; len(next) > 0; next = next[1:] {
		for _, line := range lines {
			if line[0] == "g" && line[1] == next[0] && !names[line[2]] {
				names[line[2]] = true
				next = append(next, line[2])
			}
		}
	}
	return names
}

// literal is a pattern that matches itself, or, as a regular expression, what it
// is a part of.
var literal = regexp.MustCompile(`^[a-z-]+$`)

// elseResource tells whether a line is surely of no resource that is asked for.
func elseResource(line []string) bool {
	const resource = 2
	return line[0] == "p" && literal.MatchString(line[resource]) &&
		!slices.ContainsFunc([]string{"extensions", "applications"}, func(asked string) bool { return strings.Contains(asked, line[resource]) })
}

// projectLines are what a project's roles add (argo-cd, AppProject,
// ProjectPoliciesString). Argo CD goes without them where they are not valid.
func (r *rbac) projectLines(project string) [][]string {
	var lines [][]string
	for _, role := range r.roles[project] {
		read, err := policyLines(strings.Join(role.Policies, "\n"))
		if err != nil {
			return nil
		}
		lines = append(lines, read...)
		for _, group := range role.Groups {
			lines = append(lines, []string{"g", group, "proj:" + project + ":" + role.Name})
		}
	}
	return lines
}

// subjects returns everybody whom the policy names: roles, users and groups,
// sorted.
func (r *rbac) subjects() []string {
	names := map[string]bool{}
	for _, line := range r.lines {
		names[line[1]] = true
		if line[0] == "g" {
			names[line[2]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// members returns who has a role, directly or by another role, without roles.
func (r *rbac) members(role string) []string {
	seen := map[string]bool{role: true}
	var people []string
	for next := []string{role}; len(next) > 0; next = next[1:] {
		for _, line := range r.lines {
			if line[0] != "g" || line[2] != next[0] || seen[line[1]] {
				continue
			}
			seen[line[1]] = true
			if isRole(line[1]) {
				next = append(next, line[1])
				continue
			}
			people = append(people, line[1])
		}
	}
	slices.Sort(people)
	return people
}

func isRole(subject string) bool { return strings.HasPrefix(subject, "role:") }
