package doctor

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
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
	enforcer    *casbin.CachedEnforcer
	projects    map[string]*casbin.CachedEnforcer
	roles       map[string][]ProjectRole
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
	r := &rbac{
		lines: lines, matchMode: data[keyMatchMode], defaultRole: data[keyDefaultRole],
		projects: map[string]*casbin.CachedEnforcer{}, roles: map[string][]ProjectRole{},
	}
	for _, p := range projects {
		r.roles[p.Meta.Name] = p.Spec.Roles
	}
	r.enforcer, err = newEnforcer(r.matchMode, lines)
	return r, err
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
		if err != nil || !(tokens[0] == "p" && len(tokens) == grant || tokens[0] == "g" && len(tokens) == membership) {
			return nil, fmt.Errorf("the line %s is none of a policy: want p, <subject>, <resource>, <action>, <object>, allow|deny or g, <subject>, <role>", quoted(line))
		}
		lines = append(lines, tokens)
	}
	return lines, nil
}

func newEnforcer(matchMode string, lines [][]string) (*casbin.CachedEnforcer, error) {
	text, err := assets.Embedded.ReadFile("model.conf")
	if err != nil {
		return nil, fmt.Errorf("Argo CD's model of policies cannot be read: %w", err)
	}
	m, err := model.NewModelFromString(string(text))
	if err != nil {
		return nil, fmt.Errorf("Argo CD's model of policies cannot be read: %w", err)
	}
	for _, line := range lines {
		section := line[0]
		m[section][section].Policy = append(m[section][section].Policy, line[1:])
	}
	e, err := casbin.NewCachedEnforcer(m)
	if err != nil {
		return nil, errors.New("Argo CD's policy cannot be evaluated: " + err.Error())
	}
	match := globMatch
	if matchMode == matchRegex {
		match = util.RegexMatchFunc
	}
	e.AddFunction("globOrRegexMatch", match)
	if err := e.BuildRoleLinks(); err != nil {
		return nil, errors.New("Argo CD's policy cannot be evaluated: " + err.Error())
	}
	return e, nil
}

// globMatch is Argo CD's (util/rbac, globMatchFunc).
func globMatch(args ...any) (any, error) {
	const two = 2
	if len(args) < two {
		return false, nil
	}
	value, isText := args[0].(string)
	pattern, isPattern := args[1].(string)
	return isText && isPattern && glob.Match(pattern, value), nil
}

// passes tells whether a subject may invoke an extension. The role of everybody
// is not counted, see [rbac.everybody].
func (r *rbac) passes(subject, gate string) bool {
	return allowed(r.enforcer, subject, "extensions", "invoke", gate)
}

// everybody tells whether the default role may.
func (r *rbac) everybody(gate string) bool {
	return r.defaultRole != "" && r.passes(r.defaultRole, gate)
}

// acts tells whether a subject may do an action of Waybill's to an Application,
// by the policy and by the roles of its AppProject, as itself or as everybody.
func (r *rbac) acts(subject, verb, project, object string) bool {
	e := r.of(project)
	action := "action/waybill.dev/Stage/" + verb
	return allowed(e, subject, "applications", action, object) ||
		r.defaultRole != "" && allowed(e, r.defaultRole, "applications", action, object)
}

func allowed(e *casbin.CachedEnforcer, request ...any) bool {
	ok, err := e.Enforce(request...)
	return ok && err == nil
}

// of returns the enforcer with a project's roles (argo-cd, AppProject,
// ProjectPoliciesString). Argo CD goes without them where they are not valid.
func (r *rbac) of(project string) *casbin.CachedEnforcer {
	if len(r.roles[project]) == 0 {
		return r.enforcer
	}
	if e, made := r.projects[project]; made {
		return e
	}
	lines := slices.Clone(r.lines)
	valid := true
	for _, role := range r.roles[project] {
		read, err := policyLines(strings.Join(role.Policies, "\n"))
		valid = valid && err == nil
		lines = append(lines, read...)
		for _, group := range role.Groups {
			lines = append(lines, []string{"g", group, "proj:" + project + ":" + role.Name})
		}
	}
	e, err := newEnforcer(r.matchMode, lines)
	if err != nil || !valid {
		e = r.enforcer
	}
	r.projects[project] = e
	return e
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
