package convert

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// source is the one of an Application that moves.
type source struct {
	node *yaml.Node
	// path in the Application, such as spec.source or spec.sources[1].
	path string
	// several tells that the Application has other sources beside it.
	several bool
}

func (s source) field(name string) string { return join(s.path, name) }

// isMoved tells whether a source is rendered by Waybill's plugin.
func (s source) isMoved() bool {
	return textOf(fieldOf(s.node, fieldPlugin), "name") == parameters.Plugin
}

// source finds the source that moves.
func (m *move) source() (source, bool) {
	if _, found := find(m.spec, "sourceHydrator"); found {
		m.refuse("spec.sourceHydrator", "Argo CD renders its dry source before Waybill could pin it", "use source instead, with a stage branch")
		return source{}, false
	}
	list := fieldOf(m.spec, "sources")
	if list == nil || list.Kind == yaml.SequenceNode && len(list.Content) == 0 {
		s := source{node: fieldOf(m.spec, "source"), path: "spec.source"}
		if m.options.Source > 1 {
			m.refuse(s.path, fmt.Sprintf("there is one source, and not %d", m.options.Source), "leave --source away")
			return s, false
		}
		return s, m.isSource(s)
	}
	if list.Kind != yaml.SequenceNode {
		m.refuse("spec.sources", "it is no list", "mend it")
		return source{}, false
	}
	return m.oneOf(list)
}

func (m *move) isSource(s source) bool {
	if s.node == nil || s.node.Kind != yaml.MappingNode {
		m.refuse(s.path, "there is no source", "complete it")
		return false
	}
	return true
}

// oneOf finds which of several sources moves: one Application has one waybill,
// hence one source that is rendered by the plugin.
func (m *move) oneOf(list *yaml.Node) (source, bool) {
	var all, able []source
	var rendered, other []Obstacle
	if named := m.options.Source; named > 0 && named <= len(list.Content) {
		return m.named(list, named-1)
	}
	for i, node := range list.Content {
		s := source{node: node, path: fmt.Sprintf("spec.sources[%d]", i), several: len(list.Content) > 1}
		all = append(all, s)
		if s.isMoved() {
			able = []source{s}
			break
		}
		found := m.obstaclesOf(s)
		switch {
		case len(found) == 0 && !m.options.Back:
			able = append(able, s)
		case textOf(node, "path") != "" && textOf(node, "chart") == "":
			rendered = append(rendered, found...)
		default:
			other = append(other, found...)
		}
	}
	switch {
	case m.options.Source > len(all):
		m.refuse("spec.sources", fmt.Sprintf("there is no source %d among its %d", m.options.Source, len(all)), "name one with --source, counted from 1")
	case len(able) == 1:
		return able[0], true
	case len(able) > 1:
		m.refuse("spec.sources", fmt.Sprintf("%d of its sources can, and one Application has one waybill", len(able)),
			"name the one that freight pins with --source, counted from 1")
	case m.options.Back:
		m.note("it does not use the plugin %s, and is left as it is", parameters.Plugin)
	case len(rendered) > 0:
		// Those that cannot move at all are beside the point.
		m.Obstacles = append(m.Obstacles, rendered...)
	default:
		m.Obstacles = append(m.Obstacles, other...)
	}
	return source{}, false
}

// named takes the source that the user names, unless another one has the plugin.
func (m *move) named(list *yaml.Node, which int) (source, bool) {
	for i, node := range list.Content {
		if i != which && (source{node: node}).isMoved() {
			m.refuse(fmt.Sprintf("spec.sources[%d]", which), fmt.Sprintf("spec.sources[%d] uses the plugin already, and one Application has one waybill", i),
				"move that one back first, with --back")
			return source{}, false
		}
	}
	s := source{node: list.Content[which], path: fmt.Sprintf("spec.sources[%d]", which), several: len(list.Content) > 1}
	return s, m.isSource(s)
}

// obstaclesOf tries a source without a change.
func (m *move) obstaclesOf(s source) []Obstacle {
	trial := &move{Application: Application{Kind: m.Kind, Name: m.Name}, stream: m.stream, options: m.options, root: m.root,
		prefix: m.prefix, metadata: m.metadata, spec: m.spec, trial: true}
	if trial.isSource(s) {
		trial.forth(s)
	}
	return trial.Obstacles
}
