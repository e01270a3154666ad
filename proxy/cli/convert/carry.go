package convert

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// carry returns the parameters that carry a kind's native settings, as entries
// of name and value.
func (m *move) carry(kind parameters.Kind, path string, settings *yaml.Node) []entry {
	if settings.Kind != yaml.MappingNode {
		m.refuse(path, "it is no mapping", "mend it")
		return nil
	}
	known := parameters.NativeOf(kind)
	var given []entry
	for _, e := range entries(settings) {
		at := join(path, e.key.Value)
		i := slices.IndexFunc(known, func(n parameters.Native) bool { return n.Field == e.key.Value })
		switch {
		case i < 0:
			m.refuse(at, "Waybill does not know this field", "remove it, or leave the Application as it is until Waybill does")
		case isNull(e.value), isZero(e.value) && known[i].Shape != parameters.Document:
			// As good as not there, for Argo CD too.
		case known[i].Obstacle != "":
			m.refuse(at, known[i].Obstacle, known[i].Remedy)
		default:
			before := len(m.Obstacles)
			carried := m.carryOne(kind, known[i], at, e)
			if len(m.Obstacles) == before {
				m.movable(kind, at, e)
			}
			given = append(given, carried...)
		}
	}
	return given
}

func isZero(node *yaml.Node) bool {
	return len(node.Content) == 0 && (node.Kind != yaml.ScalarNode || node.Value == "")
}

func (m *move) carryOne(kind parameters.Kind, field parameters.Native, path string, e entry) []entry {
	switch field.Shape {
	case parameters.Document:
		return m.document(path, e)
	case parameters.Counts:
		return m.counts(path, e)
	case parameters.Sets:
		return m.sets(path, e)
	case parameters.Files:
		return m.files(path, e)
	default:
		all := parameters.Of(kind)
		i := slices.IndexFunc(all, func(p parameters.Parameter) bool { return p.Name == field.Field })
		if all[i].Form == parameters.Boolean {
			return m.boolean(path, e)
		}
		m.check(all[i].Form, path, e.value)
		return []entry{e}
	}
}

// check refuses a value that has not the form that it must have.
func (m *move) check(form parameters.Form, path string, value *yaml.Node) {
	switch {
	case form == parameters.Text && !isText(value):
		m.refuse(path, "it is no text, and Argo CD takes nothing else here", "quote it")
	case form == parameters.List && value.Kind != yaml.SequenceNode:
		m.refuse(path, "it is no list", "mend it")
	case form == parameters.Map && value.Kind != yaml.MappingNode:
		m.refuse(path, "it is no mapping", "mend it")
	}
	for i, child := range value.Content {
		if isText(child) {
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		if value.Kind == yaml.MappingNode {
			at = join(path, value.Content[i-i%2].Value)
		}
		m.refuse(at, "it is no text, and Argo CD takes nothing else here", "quote it")
	}
}

func (m *move) boolean(path string, e entry) []entry {
	value := *e.value
	if value.Kind != yaml.ScalarNode || value.ShortTag() != "!!bool" {
		m.refuse(path, "it is neither true nor false", "write one of them")
	}
	value.Tag, value.Style, value.Value = "!!str", yaml.DoubleQuotedStyle, strings.ToLower(value.Value)
	return []entry{{e.key, &value}}
}

// document writes a YAML value as text.
func (m *move) document(path string, e entry) []entry {
	want := yaml.MappingNode
	if e.key.Value == parameters.Patches {
		want = yaml.SequenceNode
	}
	if e.value.Kind != want {
		m.refuse(path, "it has not the shape that Argo CD takes", "mend it")
		return nil
	}
	if m.Kind == kindApplicationSet && mentions(e.value, "{{") {
		m.refuse(path, "it becomes text, in which what the ApplicationSet fills in could break the YAML", "write it without {{…}}, or use parameters")
		return nil
	}
	style := styleOf(m.stream.style, e.value)
	written, err := style.encode(e.value)
	if err != nil {
		m.refuse(path, err.Error(), "write it in another way")
		return nil
	}
	return []entry{{e.key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: written}}}
}

func (m *move) counts(path string, e entry) []entry {
	counts := &yaml.Node{Kind: yaml.MappingNode}
	m.eachNamed(path, e.value, []string{"name", "count"}, func(at string, name, item *yaml.Node) {
		count, found := find(item, "count")
		if !found || !isCount(count.value) && !m.isTemplated(count.value.Value) {
			m.refuse(join(at, "count"), "it is no whole number", "write one")
			return
		}
		value := *count.value
		value.Tag, value.Style = "!!str", yaml.DoubleQuotedStyle
		counts.Content = append(counts.Content, name, &value)
	})
	return []entry{{e.key, counts}}
}

func isCount(node *yaml.Node) bool {
	if node.Kind != yaml.ScalarNode || node.Value == "" {
		return false
	}
	return strings.Trim(node.Value, "0123456789") == "" && (node.Value == "0" || node.Value[0] != '0')
}

func (m *move) sets(path string, e entry) []entry {
	plain, forced := &yaml.Node{Kind: yaml.MappingNode}, &yaml.Node{Kind: yaml.MappingNode}
	m.eachNamed(path, e.value, []string{"name", "value", "forceString"}, func(at string, name, item *yaml.Node) {
		into := plain
		if force, found := find(item, "forceString"); found {
			switch {
			case force.value.ShortTag() != "!!bool":
				m.refuse(join(at, "forceString"), "it is neither true nor false", "write one of them")
			case strings.EqualFold(force.value.Value, "true"):
				into = forced
			}
		}
		value := quoted("")
		if given, found := find(item, "value"); found {
			value = given.value
			m.check(parameters.Text, join(at, "value"), value)
		}
		into.Content = append(into.Content, name, value)
	})
	var given []entry
	if len(plain.Content) > 0 {
		given = append(given, entry{e.key, plain})
	}
	if len(forced.Content) > 0 {
		given = append(given, entry{text(parameters.SetString), forced})
	}
	return given
}

func (m *move) files(path string, e entry) []entry {
	files := &yaml.Node{Kind: yaml.MappingNode}
	m.eachNamed(path, e.value, []string{"name", "path"}, func(at string, name, item *yaml.Node) {
		file, found := find(item, "path")
		if !found || !isText(file.value) {
			m.refuse(join(at, "path"), "there is no path", "name one")
			return
		}
		files.Content = append(files.Content, name, file.value)
	})
	return []entry{{e.key, files}}
}

// eachNamed goes over a list of mappings that each have a name, no two the same, and
// no other fields than those known. A comment before an item goes to its name.
func (m *move) eachNamed(path string, list *yaml.Node, known []string, each func(at string, name, item *yaml.Node)) {
	if list.Kind != yaml.SequenceNode {
		m.refuse(path, "it is no list", "mend it")
		return
	}
	seen := map[string]bool{}
	for i, item := range list.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		given, found := find(item, "name")
		if !found || !isText(given.value) || given.value.Value == "" {
			m.refuse(at, "it has no name", "name it, or remove it")
			continue
		}
		for _, e := range entries(item) {
			if !slices.Contains(known, e.key.Value) {
				m.refuse(join(at, e.key.Value), "Waybill does not know this field", "remove it, or leave the Application as it is until Waybill does")
			}
		}
		if seen[given.value.Value] {
			m.refuse(at, given.value.Value+" is given twice", "keep one")
			continue
		}
		seen[given.value.Value] = true
		name := *given.value
		name.HeadComment = strings.TrimSpace(item.HeadComment + "\n" + given.key.HeadComment)
		each(at, &name, item)
	}
}
