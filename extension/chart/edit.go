package chart

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// edit is a part of a text, and what takes its place.
type edit struct {
	from, to int
	text     string
}

// withVersions returns the file with other versions, by the positions of the
// dependencies. Nothing else of its text changes: no comment, no order, no line
// end. It changes d to what the text says then.
func (d *document) withVersions(versions map[int]string) ([]byte, error) {
	var edits []edit
	changed := slices.Sorted(maps.Keys(versions))
	for _, i := range changed {
		version := versions[i]
		node := field(d.nodes[i], "version")
		if node == nil {
			return nil, fmt.Errorf("%s gives the dependency %s no version that could be replaced: write one", d.name, d.dependencies[i].Name)
		}
		e, ok := replace(d.text, node, version)
		if !ok {
			return nil, d.unusual(i)
		}
		edits = append(edits, e)
		d.dependencies[i].Version = version
		*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: version}
	}
	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from })
	text := slices.Clone(d.text)
	for _, e := range edits {
		text = slices.Replace(text, e.from, e.to, []byte(e.text)...)
	}
	// The text is read again, so that whatever YAML allows to be written, no more
	// than the versions is changed.
	var want, got any
	if err := d.root.Decode(&want); err != nil {
		return nil, d.unreadable(err)
	}
	if err := yaml.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(want, got) {
		return nil, d.unusual(changed[0])
	}
	return text, nil
}

func (d *document) unusual(i int) error {
	return fmt.Errorf("%s writes the version of the dependency %s in a way that cannot be replaced: write it in its own entry, in one line, without anchors", d.name, d.dependencies[i].Name)
}

// replace makes the edit of a scalar, which keeps its quotes.
func replace(text []byte, node *yaml.Node, value string) (edit, bool) {
	from, ok := offset(text, node.Line, node.Column)
	if !ok || node.Kind != yaml.ScalarNode || node.Anchor != "" {
		return edit{}, false
	}
	rest := text[from:]
	switch quote := string(rest[:1]); {
	case node.Style == 0:
		if !bytes.HasPrefix(rest, []byte(node.Value)) || node.Value == "" {
			return edit{}, false
		}
		if !isPlain(value) {
			value = `"` + value + `"`
		}
		return edit{from, from + len(node.Value), value}, true
	case quote == `'`, quote == `"`:
		// A version needs no escapes, so one that has some is not looked into.
		end := strings.Index(string(rest[1:]), quote)
		if end < 0 || string(rest[1:1+end]) != node.Value {
			return edit{}, false
		}
		return edit{from, from + end + len(`""`), quote + value + quote}, true
	}
	return edit{}, false
}

// isPlain tells whether a text means itself in YAML without quotes.
func isPlain(value string) bool {
	var node yaml.Node
	err := yaml.Unmarshal([]byte(value), &node)
	return err == nil && node.Kind == yaml.DocumentNode && node.Content[0].Tag == "!!str" && node.Content[0].Value == value
}

// offset finds a line and a column, both counted from 1 and the column in
// characters, as the YAML library does.
func offset(text []byte, line, column int) (int, bool) {
	at := 0
	for range line - 1 {
		end := bytes.IndexByte(text[at:], '\n')
		if end < 0 {
			return 0, false
		}
		at += end + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRune(text[at:])
		if size == 0 {
			return 0, false
		}
		at += size
	}
	return at, at < len(text)
}
