package convert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

const fieldPlugin = "plugin"

// forth moves a source to the plugin.
func (m *move) forth(s source) {
	if s.isMoved() {
		m.already(s)
		return
	}
	m.unable(s)
	kind, native, explicit := m.native(s)
	var given []entry
	if explicit {
		own, err := m.stream.inner(s.node, native)
		if err != nil {
			m.change(s.field(string(kind)), edit{}, err)
			return
		}
		native = own
		given = m.carry(kind, s.field(string(kind)), native.value)
	}
	reads := m.look(s, kind, given)
	if len(m.Obstacles) > 0 {
		return
	}
	if m.options.AllowUnpinned {
		given = append(given, entry{text(parameters.Unpinned), text("allow")})
	} else {
		m.note("its next sync needs a waybill: promote freight into its stage, or pass --unpinned-allow to render without one until then")
	}
	m.plug(s, kind, native, explicit, given)
	m.annotate(s, kind, reads)
	m.hint()
}

// already annotates an Application that uses the plugin.
func (m *move) already(s source) {
	m.note("its source uses the plugin %s already", parameters.Plugin)
	var given []entry
	for _, g := range m.given(s.field("plugin.parameters"), fieldOf(s.node, fieldPlugin)) {
		given = append(given, entry{text(g.name), g.value.value})
	}
	reads := m.look(s, "", given)
	if len(m.Obstacles) == 0 {
		m.annotate(s, "", reads)
	}
}

// unable finds what keeps the source as a whole from moving.
func (m *move) unable(s source) {
	if chart := textOf(s.node, "chart"); chart != "" {
		m.refuse(s.field("chart"), "the plugin renders what is in Git, and this chart is in a repository of charts",
			fmt.Sprintf("commit a chart that depends on it (Chart.yaml with dependencies: [{name: %s, …}], vendored by helm dependency build, its values below the key %s) and name its path", chart, chart))
	}
	if repository := textOf(s.node, "repoURL"); strings.HasPrefix(repository, "oci://") {
		m.refuse(s.field("repoURL"), "the plugin's waybill stands in Git, and this source is an OCI artifact", "use the Git repository that it is made from")
	}
	if _, found := find(s.node, "path"); !found && textOf(s.node, "chart") == "" {
		reason, remedy := "there is no path to render", "name one, \".\" for the root"
		if textOf(s.node, "ref") != "" {
			reason, remedy = "the source is read by others alone", "name the source that renders with --source"
		}
		m.refuse(s.field("path"), reason, remedy)
	}
	if e, found := find(s.node, fieldPlugin); found {
		name := textOf(e.value, "name")
		if name == "" {
			name = "that Argo CD discovers"
		}
		m.refuse(s.field(fieldPlugin), "it is rendered by the plugin "+name+" already", "make its output a kustomization, a chart or plain YAML first")
	}
}

// native returns the settings that the source has, and of which kind; explicit
// is false where it has none and Argo CD goes by what the path holds.
func (m *move) native(s source) (kind parameters.Kind, native entry, explicit bool) {
	for _, k := range parameters.Kinds() {
		e, found := lookUp(s.node, string(k))
		switch {
		case !found:
			continue
		case isNull(e.value):
			m.note("%s says nothing and is left as it is", s.field(string(k)))
			continue
		case explicit:
			m.refuse(s.field(string(k)), fmt.Sprintf("there is %s beside it, and Argo CD takes one of them", kind), "keep one")
			continue
		}
		kind, native, explicit = k, e, true
	}
	return kind, native, explicit
}

// plug puts the plugin in the place of the native settings, or else at the end
// of the source.
func (m *move) plug(s source, kind parameters.Kind, native entry, explicit bool, given []entry) {
	key := text(fieldPlugin)
	if explicit {
		key.LineComment = native.key.LineComment
	}
	plugin := entry{key, mapping(entry{text("name"), text(parameters.Plugin)})}
	if len(given) > 0 {
		m.fits(s, kind, given)
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, g := range given {
			list.Content = append(list.Content, parameter(kind, g))
		}
		plugin.value.Content = append(plugin.value.Content, text("parameters"), list)
	}
	empty, there := lookUp(s.node, fieldPlugin) // null, or forth had refused it
	switch {
	case explicit && there:
		m.refuse(s.field(fieldPlugin), "it is there, without a value", "remove it")
	case explicit:
		old, _ := lookUp(s.node, string(kind))
		m.exchange(s, old, plugin)
		m.lost(native.value, plugin.value)
	case there:
		m.exchange(s, empty, plugin)
	default:
		m.append(s, plugin)
	}
}

// exchange puts another entry in the place of one of the source.
func (m *move) exchange(s source, old, new entry) {
	e, err := m.stream.replace(s.node, old, new)
	if whole, found := lookUp(m.spec, "source"); found && whole.value == s.node && isFlow(s.node) {
		e, err = m.stream.unfold(m.spec, whole, func(block *yaml.Node) {
			i := slices.Index(block.Content, old.key)
			block.Content[i], block.Content[i+1] = new.key, new.value
		})
	}
	m.change(s.field(old.key.Value), e, err)
}

// append puts an entry at the end of the source.
func (m *move) append(s source, new entry) {
	e, err := m.stream.add(s.node, new)
	if whole, found := lookUp(m.spec, "source"); found && whole.value == s.node && isFlow(s.node) {
		e, err = m.stream.unfold(m.spec, whole, func(block *yaml.Node) {
			block.Content = append(block.Content, new.key, new.value)
		})
	}
	m.change(s.path, e, err)
}

// fits checks that the parameters are not larger than what Argo CD can hand to a
// plugin.
func (m *move) fits(s source, kind parameters.Kind, given []entry) {
	size := 0
	var count func(node *yaml.Node)
	count = func(node *yaml.Node) {
		if written, err := json.Marshal(node.Value); err == nil && node.Kind == yaml.ScalarNode {
			size += len(written) + 1
		}
		for _, child := range node.Content {
			count(child)
		}
	}
	for _, g := range given {
		count(parameter(kind, g))
		size += len(`{:,},`)
	}
	if size > parameters.MaxSize {
		m.refuse(s.field(string(kind)), fmt.Sprintf("it holds more than Argo CD can hand to a plugin, %d bytes", parameters.MaxSize),
			"move values and patches into files of the repository")
	}
}

// parameter writes one as Argo CD takes it.
func parameter(kind parameters.Kind, given entry) *yaml.Node {
	form := parameters.Text
	for _, p := range slices.Concat(parameters.Of(kind), parameters.Own(kind)) {
		if p.Name == given.key.Value {
			form = p.Form
		}
	}
	field := text(form.Field())
	field.LineComment = given.key.LineComment
	node := mapping(entry{text("name"), text(given.key.Value)}, entry{field, given.value})
	node.HeadComment, node.FootComment = given.key.HeadComment, given.key.FootComment
	return node
}

// lost tells of comments that have no place any more.
func (m *move) lost(old, new *yaml.Node) {
	kept := comments(new)
	for _, comment := range comments(old) {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(k, comment) }) {
			m.note("a comment has no place any more and is gone: %s", comment)
		}
	}
}

// comments are those of a node, line by line, and texts, which may hold what was
// written as YAML.
func comments(node *yaml.Node) []string {
	var all []string
	for _, comment := range []string{node.HeadComment, node.LineComment, node.FootComment} {
		for line := range strings.Lines(comment) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
	}
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "\n") && strings.Contains(node.Value, "#") {
		all = append(all, node.Value)
	}
	for _, child := range node.Content {
		all = append(all, comments(child)...)
	}
	return all
}

func mentions(node *yaml.Node, text string) bool {
	return strings.Contains(node.Value, text) ||
		slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return mentions(child, text) })
}

// text is a scalar that needs no quotes.
func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func quoted(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value}
}

func mapping(all ...entry) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, e := range all {
		node.Content = append(node.Content, e.key, e.value)
	}
	return node
}
