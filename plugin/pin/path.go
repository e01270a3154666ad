package pin

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// Path names a place of a custom resource where an image stands, in the form
//
//	Kind[.group]:field.field[*]["field.with.dots"]
//
// for example "Kafka.kafka.strimzi.io:spec.kafka.image" or
// "Workflow.argoproj.io:spec.templates[*].container.image". [*] is each element
// of a list or each value of a map. Without a group the kind counts in any.
// What an object does not have is passed over.
type Path struct {
	text  string
	kind  string
	group string // "" is any
	steps []step
}

// step is one field, or, with every set, each element.
type step struct {
	field string
	every bool
}

// patterns are compiled where a path is given: most renders have none.
var patterns = sync.OnceValue(func() (compiled struct{ kind, group, field *regexp.Regexp }) {
	compiled.kind = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	compiled.group = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	compiled.field = regexp.MustCompile(`^[A-Za-z0-9_-]+`)
	return compiled
})

// maxSteps bounds a path: manifests are not that deep.
const maxSteps = 64

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	invalid := func(problem string) (Path, error) {
		return Path{}, refusal.New(
			fmt.Sprintf("the image path %q %s", text, problem),
			`write Kind.group:field.list[*].image, with ["…"] around a field that holds dots`)
	}
	target, rest, found := strings.Cut(text, ":")
	if !found {
		return invalid("has no colon")
	}
	p := Path{text: text}
	p.kind, p.group, found = strings.Cut(target, ".")
	if !patterns().kind.MatchString(p.kind) || found && !patterns().group.MatchString(p.group) {
		return invalid("does not begin with a kind")
	}
	for first := true; rest != ""; first = false {
		next, remains, problem := parseStep(rest, first)
		if problem != "" {
			return invalid(problem)
		}
		p.steps = append(p.steps, next)
		if len(p.steps) > maxSteps {
			return invalid(fmt.Sprintf("has more than %d steps", maxSteps))
		}
		rest = remains
	}
	if len(p.steps) == 0 {
		return invalid("names no field")
	}
	return p, nil
}

func parseStep(s string, first bool) (next step, rest, problem string) {
	if rest, found := strings.CutPrefix(s, "[*]"); found && !first {
		return step{every: true}, rest, ""
	}
	if quoted, found := strings.CutPrefix(s, `["`); found {
		field, rest, closed := strings.Cut(quoted, `"]`)
		if !closed || field == "" {
			return step{}, "", `has a [" that is not closed by "]`
		}
		return step{field: field}, rest, ""
	}
	if !first {
		var found bool
		if s, found = strings.CutPrefix(s, "."); !found {
			return step{}, "", fmt.Sprintf("cannot be read at %q", s)
		}
	}
	field := patterns().field.FindString(s)
	if field == "" {
		return step{}, "", fmt.Sprintf("names no field at %q", s)
	}
	return step{field: field}, s[len(field):], ""
}

// String returns the path as it was written.
func (p Path) String() string { return p.text }

func (p Path) apply(o manifest.Object, rewrite func(string) string) error {
	if o.Kind() != p.kind || p.group != "" && o.Group() != p.group {
		return nil
	}
	if _, err := follow(map[string]any(o), p.steps, rewrite); err != nil {
		return refusal.New(fmt.Sprintf("the image path %s leads to %s in %s", p, err, o), "name the field that holds the whole image reference")
	}
	return nil
}

// follow returns the node with the images at the end of the steps rewritten.
func follow(node any, steps []step, rewrite func(string) string) (any, error) {
	if node == nil {
		return nil, nil
	}
	if len(steps) == 0 {
		reference, ok := node.(string)
		if !ok {
			return nil, errors.New("a value that is no text")
		}
		if reference == "" {
			return reference, nil
		}
		return rewrite(reference), nil
	}
	var err error
	switch node := node.(type) {
	case map[string]any:
		fields := []string{steps[0].field}
		if steps[0].every {
			fields = slices.Sorted(maps.Keys(node)) // so that errors have an order
		}
		for _, field := range fields {
			value, found := node[field]
			if !found {
				continue
			}
			if node[field], err = follow(value, steps[1:], rewrite); err != nil {
				return nil, err
			}
		}
	case []any:
		if !steps[0].every {
			return nil, fmt.Errorf("a list where it names the field %q", steps[0].field)
		}
		for i := range node {
			if node[i], err = follow(node[i], steps[1:], rewrite); err != nil {
				return nil, err
			}
		}
	default:
		return nil, errors.New("a plain value where it goes on")
	}
	return node, nil
}
