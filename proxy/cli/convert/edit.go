package convert

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// edit replaces a part of a file's text. Everything else stays as it is, byte
// for byte.
type edit struct {
	start, end int
	text       string
	// apply makes the same change in the nodes, which the new text is held
	// against.
	apply func()
}

// errShape is why an edit cannot be made in text.
var errShape = errors.New("it is written in a way that cannot be edited in place")

// replace puts another entry in the place of one of a block mapping.
func (s *stream) replace(mapping *yaml.Node, old, new entry) (edit, error) {
	start, ok := s.offset(old.key)
	if !ok || !isBlockMapping(mapping) {
		return edit{}, errShape
	}
	text, err := s.encode(mapping, new, old.key.Column-1)
	if err != nil {
		return edit{}, err
	}
	return edit{start, s.end(old), text, func() {
		i := slices.Index(mapping.Content, old.key)
		mapping.Content[i], mapping.Content[i+1] = new.key, new.value
	}}, nil
}

// add puts an entry behind the last one of a block mapping.
func (s *stream) add(mapping *yaml.Node, new entry) (edit, error) {
	if !isBlockMapping(mapping) {
		return edit{}, errShape
	}
	all := entries(mapping)
	last := all[len(all)-1]
	column := last.key.Column - 1
	text, err := s.encode(mapping, new, column)
	if err != nil {
		return edit{}, err
	}
	at := s.end(last)
	return edit{at, at, s.newline + strings.Repeat(" ", column) + text, func() {
		mapping.Content = append(mapping.Content, new.key, new.value)
	}}, nil
}

// remove takes an entry out of a block mapping, with its lines. It must not be
// the last one that is left.
func (s *stream) remove(mapping *yaml.Node, old entry) (edit, error) {
	key, ok := s.offset(old.key)
	if !ok || !isBlockMapping(mapping) || len(mapping.Content) <= 2 {
		return edit{}, errShape
	}
	start, end := s.starts[old.key.Line-1], s.end(old)
	if strings.Trim(s.text[start:key], " ") != "" {
		return edit{}, errShape
	}
	switch next := slices.IndexFunc(s.starts, func(at int) bool { return at > end }); {
	case next >= 0:
		end = s.starts[next]
	case start > 0:
		start -= len(s.newline) // the file does not end in a line break
	}
	return edit{start, end, "", func() {
		i := slices.Index(mapping.Content, old.key)
		mapping.Content = slices.Delete(mapping.Content, i, i+2)
	}}, nil
}

// unfold puts a mapping that is written in braces as one of a field a line, with
// a change made to it. Everything in it keeps its order and its own style.
func (s *stream) unfold(mapping *yaml.Node, old entry, change func(block *yaml.Node)) (edit, error) {
	block := &yaml.Node{Kind: yaml.MappingNode, Tag: old.value.Tag, Content: slices.Clone(old.value.Content)}
	change(block)
	return s.replace(mapping, old, entry{&yaml.Node{Kind: yaml.ScalarNode, Tag: old.key.Tag, Value: old.key.Value}, block})
}

// inner reads an entry once more, from its own text alone, so that its nodes
// bear the comments within it and no others. An entry of a mapping in braces is
// returned as it is.
func (s *stream) inner(mapping *yaml.Node, e entry) (entry, error) {
	if isFlow(mapping) {
		return e, nil
	}
	start, ok := s.offset(e.key)
	if !ok {
		return entry{}, errShape
	}
	margin := strings.Repeat(" ", e.key.Column-1)
	lines := strings.Split(strings.ReplaceAll(s.text[start:s.end(e)], "\r\n", "\n"), "\n")
	for i, line := range lines {
		short, found := strings.CutPrefix(line, margin)
		if !found {
			short = strings.TrimLeft(line, " ")
		}
		if i > 0 {
			lines[i] = short
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "\n")+"\n"), &document); err != nil || len(document.Content) != 1 {
		return entry{}, errShape
	}
	all := entries(document.Content[0])
	if len(all) != 1 || !same(all[0].key, e.key) || !same(all[0].value, e.value) {
		return entry{}, errShape
	}
	return all[0], nil
}

// encode writes an entry of a mapping in the style that the mapping is written
// in, with a margin before all lines but the first.
func (s *stream) encode(mapping *yaml.Node, e entry, margin int) (string, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{e.key, e.value}}
	text, err := styleOf(s.style, mapping).encode(node)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if i > 0 && line != "" {
			lines[i] = strings.Repeat(" ", margin) + line
		}
	}
	return strings.Join(lines, s.newline), nil
}

// style is how a file is indented.
type style struct {
	// step is how much deeper a mapping in a mapping stands.
	step int
	// indented lists stand deeper than their key.
	indented bool
}

const defaultStep = 2

// styleOf finds how parts of a file are indented. What they do not tell is as in
// the style given.
func styleOf(given style, parts ...*yaml.Node) style {
	step, list := false, false
	var look func(node *yaml.Node)
	look = func(node *yaml.Node) {
		for _, e := range entries(node) {
			deeper := e.value.Column - e.key.Column
			switch {
			case e.value.Style&yaml.FlowStyle != 0 || len(e.value.Content) == 0 || e.value.Line == e.key.Line:
			case e.value.Kind == yaml.MappingNode && !step && deeper > 0:
				given.step, step = deeper, true
			case e.value.Kind == yaml.SequenceNode && !list:
				given.indented, list = deeper > 0, true
			}
		}
		for _, child := range node.Content {
			if step && list {
				return
			}
			look(child)
		}
	}
	for _, part := range parts {
		look(part)
	}
	return given
}

func (s style) encode(node *yaml.Node) (string, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(s.step)
	if !s.indented {
		encoder.CompactSeqIndent()
	}
	if err := encoder.Encode(node); err != nil {
		return "", fmt.Errorf("it cannot be written as YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return "", fmt.Errorf("it cannot be written as YAML: %w", err)
	}
	return text.String(), nil
}

// errElsewhere is the failure of the check that every change passes.
var errElsewhere = errors.New("it cannot be rewritten without changing something else")

// make makes the edits and checks that the new text reads as it should, in all
// documents of the file.
func (s *stream) make(edits []edit) ([]byte, error) {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	var text strings.Builder
	at := 0
	for _, e := range edits {
		if e.start < at || e.end < e.start {
			return nil, errElsewhere
		}
		text.WriteString(s.text[at:e.start])
		text.WriteString(e.text)
		at = e.end
		e.apply()
	}
	text.WriteString(s.text[at:])
	again, err := read([]byte(text.String()))
	if err != nil || !slices.EqualFunc(s.documents, again.documents, same) {
		return nil, errElsewhere
	}
	return []byte(text.String()), nil
}
