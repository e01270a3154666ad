package convert

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// back moves a source from the plugin to its native settings.
func (m *move) back(s source) {
	if !s.isMoved() {
		m.note("it does not use the plugin %s, and is left as it is", parameters.Plugin)
		return
	}
	old, _ := lookUp(s.node, fieldPlugin)
	plugin, err := m.stream.inner(s.node, old)
	if err != nil {
		m.change(s.field(fieldPlugin), edit{}, err)
		return
	}
	m.variables(s, plugin.value)
	given := m.given(s.field("plugin.parameters"), plugin.value)
	for _, k := range parameters.Kinds() {
		if _, found := find(s.node, string(k)); found {
			m.refuse(s.field(string(k)), "it stands beside the plugin, and Argo CD takes one of them", "remove it")
		}
	}
	if len(m.Obstacles) > 0 {
		return
	}
	native := slices.DeleteFunc(slices.Clone(given), func(g set) bool { return isOwn(g.name) })
	kind, known := m.kindOf(s, given, native)
	if !known {
		return
	}
	for _, g := range given {
		if isOwn(g.name) {
			m.note("the parameter %s is gone: no native source has it", g.name)
		}
	}
	m.unplug(s, old, plugin, kind, native)
	if stage, found := find(fieldOf(m.metadata, "annotations"), annotationStage); found {
		m.annotations(nil, []string{annotationStage})
		m.note("it leaves the stage %s: its images, commits and charts are from now on what its repository says", stage.value.Value)
	}
	if m.isAnnotated(annotationPaths) {
		m.note("the annotation %s stays: it narrows what Argo CD does for native sources too", annotationPaths)
	}
}

func (m *move) isAnnotated(name string) bool {
	_, found := find(fieldOf(m.metadata, "annotations"), name)
	return found
}

// variables looks at spec.source.plugin.env, and at what else the plugin's
// settings hold.
func (m *move) variables(s source, plugin *yaml.Node) {
	for _, e := range entries(plugin) {
		if !slices.Contains([]string{"name", "env", "parameters"}, e.key.Value) {
			m.refuse(s.field(join(fieldPlugin, e.key.Value)), "Waybill does not know this field", "remove it")
		}
	}
	env := fieldOf(plugin, "env")
	if env == nil {
		return
	}
	path := s.field("plugin.env")
	if env.Kind != yaml.SequenceNode {
		m.refuse(path, "it is no list", "mend it")
		return
	}
	for i, variable := range env.Content {
		if name := textOf(variable, "name"); name != parameters.EnvWaybill {
			m.refuse(fmt.Sprintf("%s[%d]", path, i), "no native source has variables", "remove "+name)
			continue
		}
		m.note("the waybill in plugin.env is gone with what it pins")
	}
}

// set is a parameter as an Application sets it: an item of the list, and the
// entry that holds its value.
type set struct {
	name  string
	path  string
	item  *yaml.Node
	value entry
}

// given reads the parameters of the plugin.
func (m *move) given(path string, plugin *yaml.Node) []set {
	list := fieldOf(plugin, "parameters")
	if list == nil {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		m.refuse(path, "it is no list", "mend it")
		return nil
	}
	var all []set
	for i, item := range list.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		name := textOf(item, "name")
		form, known := formOf(name)
		switch {
		case name == "":
			m.refuse(at, "it has no name", "name it, or remove it")
			continue
		case !known:
			m.refuse(at, "Waybill does not know the parameter "+name, "remove it")
			continue
		case slices.ContainsFunc(all, func(s set) bool { return s.name == name }):
			m.refuse(at, name+" is given twice", "keep one")
			continue
		}
		value, found := find(item, form.Field())
		if !found || len(item.Content) != 4 {
			m.refuse(at, "the parameter "+name+" is not written as "+form.Field(), "write it so")
			continue
		}
		m.check(form, join(at, form.Field()), value.value)
		all = append(all, set{name, at, item, value})
	}
	return all
}

// formOf tells the form of a parameter, which is the same for all kinds that
// have it.
func formOf(name string) (parameters.Form, bool) {
	for _, kind := range parameters.Kinds() {
		for _, p := range slices.Concat(parameters.Own(kind), parameters.Of(kind)) {
			if p.Name == name {
				return p.Form, true
			}
		}
	}
	return 0, false
}

// isOwn tells whether a parameter is Waybill's own, which native sources lack.
func isOwn(name string) bool {
	return slices.ContainsFunc(parameters.Own(parameters.Chart), func(p parameters.Parameter) bool { return p.Name == name })
}

// kindOf finds the kind of source from its parameters, or where they leave it
// open from what the path holds.
func (m *move) kindOf(s source, given, native []set) (parameters.Kind, bool) {
	kinds := slices.DeleteFunc(parameters.Kinds(), func(kind parameters.Kind) bool {
		taken := slices.Concat(parameters.Own(kind), parameters.Of(kind))
		return slices.ContainsFunc(given, func(g set) bool {
			return !slices.ContainsFunc(taken, func(p parameters.Parameter) bool { return p.Name == g.name })
		})
	})
	var names []string
	for _, g := range native {
		names = append(names, g.name)
	}
	if len(kinds) == 0 {
		m.refuse(s.field("plugin.parameters"), "no kind of source takes "+strings.Join(names, ", ")+" together", "remove what does not belong to the path")
		return "", false
	}
	if len(native) == 0 {
		m.note("its source has no settings: Argo CD goes by what its path holds")
		return "", true
	}
	if m.options.Clone != nil && !m.isTemplated(textOf(s.node, "path")) {
		found, err := m.options.Clone.kind(textOf(s.node, "path"))
		switch {
		case err != nil:
			m.refuse(s.field("path"), err.Error(), cloneRemedy)
			return "", false
		case !slices.Contains(kinds, found):
			m.refuse(s.field("plugin.parameters"), fmt.Sprintf("its path holds %s, which does not take %s", describe(found), strings.Join(names, ", ")), "remove them")
			return "", false
		}
		return found, true
	}
	if len(kinds) > 1 {
		m.refuse(s.field("plugin.parameters"), "several kinds of source take "+strings.Join(names, ", "), "pass --repo with a clone of its repository")
		return "", false
	}
	return kinds[0], true
}

// unplug puts the native settings in the place of the plugin.
func (m *move) unplug(s source, old, plugin entry, kind parameters.Kind, native []set) {
	if len(native) == 0 {
		e, err := m.stream.remove(s.node, old)
		m.change(s.field(fieldPlugin), e, err)
		return
	}
	settings := mapping()
	for _, g := range native {
		field, ok := m.restore(kind, g)
		if !ok {
			return
		}
		if at, found := lookUp(settings, field.key.Value); found {
			// helm.parameters, of which there are two maps.
			at.value.Content = append(at.value.Content, field.value.Content...)
			continue
		}
		field.key.HeadComment = strings.TrimSpace(g.item.HeadComment + "\n" + g.item.Content[0].HeadComment)
		field.key.LineComment, field.key.FootComment = g.value.key.LineComment, g.item.FootComment
		settings.Content = append(settings.Content, field.key, field.value)
	}
	key := text(string(kind))
	key.LineComment = plugin.key.LineComment
	m.exchange(s, old, entry{key, settings})
	m.lost(plugin.value, settings)
}

// restore returns the native field that a parameter carries.
func (m *move) restore(kind parameters.Kind, g set) (entry, bool) {
	name := g.name
	if name == parameters.SetString {
		name = parameters.Set
	}
	known := parameters.NativeOf(kind)
	field := known[slices.IndexFunc(known, func(n parameters.Native) bool { return n.Field == name })]
	if field.Newer {
		m.note("%s needs a version of Argo CD later than 2.14", name)
	}
	form, _ := formOf(g.name)
	value, ok := g.value.value, true
	switch {
	case field.Shape == parameters.Document:
		value, ok = m.parse(g)
	case field.Shape == parameters.Counts:
		value = items(value, "count", func(count *yaml.Node) {
			if strings.Trim(count.Value, "0123456789") == "" && count.Value != "" {
				count.Tag, count.Style = "!!int", 0
			}
		}, "")
		for _, item := range value.Content {
			if count, _ := find(item, "count"); !isCount(count.value) && !m.isTemplated(count.value.Value) {
				m.refuse(g.path, "a count is no whole number", "write one")
				ok = false
			}
		}
	case field.Shape == parameters.Sets && g.name == parameters.SetString:
		value = items(value, "value", nil, "forceString")
	case field.Shape == parameters.Sets:
		value = items(value, "value", nil, "")
	case field.Shape == parameters.Files:
		value = items(value, "path", nil, "")
	case form == parameters.Boolean:
		truth := *value
		if truth.Value != "true" && truth.Value != "false" {
			m.refuse(g.path, "it is neither true nor false", "write one of them")
			ok = false
		}
		truth.Tag, truth.Style = "!!bool", 0
		value = &truth
	}
	return entry{text(name), value}, ok
}

// parse reads the YAML that a parameter holds as text.
func (m *move) parse(g set) (*yaml.Node, bool) {
	want := yaml.MappingNode
	if g.name == parameters.Patches {
		want = yaml.SequenceNode
	}
	s, err := read([]byte(g.value.value.Value))
	if err != nil || len(s.documents) != 1 || len(s.documents[0].Content) != 1 || s.documents[0].Content[0].Kind != want {
		m.refuse(g.path, "its text is not YAML of the shape that Argo CD takes", "mend it")
		return nil, false
	}
	if o, found := ambiguous(s.documents[0], "", 0); found {
		m.refuse(g.path, "in its text "+o.Path+" cannot move: "+o.Reason, o.Remedy)
		return nil, false
	}
	value := s.documents[0].Content[0]
	if comment := s.documents[0].HeadComment; comment != "" && len(value.Content) > 0 {
		value.Content[0].HeadComment = strings.TrimSpace(comment + "\n" + value.Content[0].HeadComment)
	}
	return value, true
}

// items makes a list of mappings with a name from a map.
func items(values *yaml.Node, field string, alter func(*yaml.Node), truth string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range entries(values) {
		name, value := *e.key, *e.value
		if alter != nil {
			alter(&value)
		}
		item := mapping(entry{text("name"), &name}, entry{text(field), &value})
		item.HeadComment, name.HeadComment = name.HeadComment, ""
		if truth != "" {
			item.Content = append(item.Content, text(truth), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
		}
		list.Content = append(list.Content, item)
	}
	return list
}
