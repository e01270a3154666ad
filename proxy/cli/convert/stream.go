package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// stream is a YAML file: its text, and the documents that were read from it.
type stream struct {
	text string
	// newline is how its lines end.
	newline string
	// starts are the offsets of its lines.
	starts []int
	// columns are the offsets of characters, for lines that were asked for.
	columns   map[int][]int
	documents []*yaml.Node
	// style is that of the file as a whole.
	style style
}

// otherBreaks are what YAML takes for the end of a line, and editors do not:
// with them, a line has no number that all agree on.
var otherBreaks = regexp.MustCompile("\r(?:[^\n]|$)|\u0085|\u2028|\u2029")

// read reads all documents of a file.
func read(text []byte) (*stream, error) {
	switch {
	case !utf8.Valid(text):
		return nil, errors.New("is not UTF-8")
	case otherBreaks.Match(text):
		return nil, errors.New("has line breaks that are neither \\n nor \\r\\n: write them as escapes")
	}
	s := &stream{text: string(text), newline: "\n", starts: []int{0}, columns: map[int][]int{}}
	for i, c := range text {
		if c == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	if len(s.starts) > 1 && strings.HasSuffix(s.text[:s.starts[1]], "\r\n") {
		s.newline = "\r\n"
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		document := &yaml.Node{}
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			s.style = styleOf(style{step: defaultStep}, s.documents...)
			return s, nil
		}
		if err != nil {
			return nil, fmt.Errorf("is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		s.documents = append(s.documents, document)
	}
}

// offset of a node's first character.
func (s *stream) offset(node *yaml.Node) (int, bool) {
	if node.Line < 1 || node.Line > len(s.starts) || node.Column < 1 {
		return 0, false
	}
	columns, known := s.columns[node.Line]
	if !known {
		columns = columnsOf(s.line(node.Line))
		s.columns[node.Line] = columns
	}
	at := node.Column - 1
	if columns != nil {
		if at >= len(columns) {
			return 0, false
		}
		at = columns[at]
	}
	at += s.starts[node.Line-1]
	return at, at < len(s.text)
}

// columnsOf returns where the characters of a line begin, or nothing where each
// is one byte.
func columnsOf(line string) []int {
	if utf8.RuneCountInString(line) == len(line) {
		return nil
	}
	var columns []int
	for at := range line {
		columns = append(columns, at)
	}
	return columns
}

// line returns the text of a line, counted from 1, without its end.
func (s *stream) line(number int) string {
	end := len(s.text)
	if number < len(s.starts) {
		end = s.starts[number]
	}
	return strings.TrimRight(s.text[s.starts[number-1]:end], "\r\n")
}

// end returns the offset where an entry of a block mapping ends: behind its
// last line, before the end of that line. Blank lines and comments that follow
// it belong to nobody, unless they are indented below its key.
func (s *stream) end(e entry) int {
	last := s.until(e.value, e.key.Line)
	compact := e.value.Kind == yaml.SequenceNode && e.value.Style&yaml.FlowStyle == 0 && e.value.Column == e.key.Column
	for number := last + 1; number <= len(s.starts); number++ {
		line := s.line(number)
		content := strings.TrimLeft(line, " ")
		deeper := len(line)-len(content) >= e.key.Column
		switch {
		case content == "":
			continue
		case strings.HasPrefix(content, "#") && !deeper:
			continue
		case deeper, compact && len(line)-len(content) == e.key.Column-1 && (content == "-" || strings.HasPrefix(content, "- ")):
			last = number
			continue
		}
		break
	}
	// The loop ends at the first line that belongs to something else.
	return s.starts[last-1] + len(s.line(last))
}

// until returns the last line of all that has a mark at its end, quotes or
// brackets, at or below a node; or a later line that is given. Up to that mark the
// indentation of a line says nothing.
func (s *stream) until(node *yaml.Node, last int) int {
	if at, marked := s.closing(node); marked {
		last = max(last, s.number(at))
	}
	for _, child := range node.Content {
		last = s.until(child, last)
	}
	return last
}

// closing returns the offset of the mark that ends a node, where there is one.
func (s *stream) closing(node *yaml.Node) (int, bool) {
	at, ok := s.offset(node)
	switch {
	case !ok:
		return 0, false
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return s.quote(at)
	case node.Style&yaml.FlowStyle == 0:
		return 0, false
	}
	at++
	if len(node.Content) > 0 {
		last := node.Content[len(node.Content)-1]
		if end, marked := s.closing(last); marked {
			at = end + 1
		} else if start, ok := s.offset(last); ok {
			at = max(at, start)
		}
	}
	for ; at < len(s.text); at++ {
		switch c := s.text[at]; {
		case c == '}' || c == ']':
			return at, true
		case c == '#' && strings.ContainsRune(" \t\n", rune(s.text[at-1])):
			line := strings.IndexByte(s.text[at:], '\n')
			if line < 0 {
				return 0, false
			}
			at += line
		}
	}
	return 0, false
}

// quote returns the offset of the quote that ends the text that begins at one.
func (s *stream) quote(at int) (int, bool) {
	quote := s.text[at]
	for at++; at < len(s.text); at++ {
		switch {
		case quote == '"' && s.text[at] == '\\', quote == '\'' && strings.HasPrefix(s.text[at:], "''"):
			at++ // the next one is meant as it is
		case s.text[at] == quote:
			return at, true
		}
	}
	return 0, false
}

// entry is a key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

func entries(mapping *yaml.Node) []entry {
	var all []entry
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		all = append(all, entry{mapping.Content[i], mapping.Content[i+1]})
	}
	return all
}

// find returns an entry that has a value: one that is null is as good as none.
func find(mapping *yaml.Node, name string) (entry, bool) {
	e, found := lookUp(mapping, name)
	return e, found && !isNull(e.value)
}

func lookUp(mapping *yaml.Node, name string) (entry, bool) {
	for _, e := range entries(mapping) {
		if e.key.Value == name {
			return e, true
		}
	}
	return entry{}, false
}

// textOf returns a field that is plain text, empty where it is none.
func textOf(mapping *yaml.Node, name string) string {
	e, found := find(mapping, name)
	if !found || !isText(e.value) {
		return ""
	}
	return e.value.Value
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// isText tells whether Kubernetes reads a node as a string. A plain date is one
// to it.
func isText(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && slices.Contains([]string{"!!str", "!!timestamp"}, node.ShortTag())
}

func isBlockMapping(node *yaml.Node) bool {
	return node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0 && len(node.Content) > 0
}

// isFlow tells whether a mapping is written in braces.
func isFlow(node *yaml.Node) bool {
	return node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle != 0
}

// maxDepth bounds how deep a document is nested.
const maxDepth = 100

// ambiguous finds what two readers of YAML may take differently, or what an
// edit in one place would change in another: such a document is not touched.
func ambiguous(node *yaml.Node, path string, depth int) (Obstacle, bool) {
	switch {
	case depth > maxDepth:
		return Obstacle{path, fmt.Sprintf("it is nested deeper than %d levels", maxDepth), "write it flatter"}, true
	case node.Kind == yaml.AliasNode, node.Anchor != "":
		return Obstacle{path, "an anchor or alias ties it to another place of the file", "write the value out"}, true
	case node.Style&yaml.TaggedStyle != 0:
		return Obstacle{path, "it has the YAML tag " + node.Tag, "write it without"}, true
	case node.Kind == yaml.MappingNode:
		return ambiguousFields(node, path, depth)
	}
	for i, child := range node.Content {
		at := path
		if node.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if o, found := ambiguous(child, at, depth+1); found {
			return o, true
		}
	}
	return Obstacle{}, false
}

func ambiguousFields(mapping *yaml.Node, path string, depth int) (Obstacle, bool) {
	seen := map[string]bool{}
	for _, e := range entries(mapping) {
		at := join(path, e.key.Value)
		switch {
		case e.key.Kind != yaml.ScalarNode || e.key.ShortTag() == "!!merge":
			return Obstacle{at, "a key is not plain text", "write the fields out"}, true
		case seen[e.key.Value]:
			return Obstacle{at, "it is given twice", "keep one"}, true
		}
		seen[e.key.Value] = true
		for _, node := range []*yaml.Node{e.key, e.value} {
			if o, found := ambiguous(node, at, depth+1); found {
				return o, true
			}
		}
	}
	return Obstacle{}, false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// same tells whether two nodes mean the same, whatever their style.
func same(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.Anchor == b.Anchor && a.ShortTag() == b.ShortTag() &&
		slices.EqualFunc(a.Content, b.Content, same)
}
