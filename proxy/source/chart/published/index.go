package published

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/proxy/source"
)

const (
	// maxVersions is how many versions of one chart are read.
	maxVersions = 10_000
	// maxFlow is the size of what is taken apart as one piece, in bytes: an entry,
	// or a part of an index that is not written line by line. Taken apart it needs
	// some fifty times as much memory.
	maxFlow = 2 << 20
)

// Listing is what an index holds of one chart.
type Listing struct {
	Versions []Version `json:"versions,omitempty"`
	// Broken tells of entries that cannot be used, at most as many as a look does.
	Broken []string `json:"broken,omitempty"`
}

// Find returns a version; of two that are equal the first counts.
func (l Listing) Find(name string) (Version, bool) {
	i := slices.IndexFunc(l.Versions, func(v Version) bool { return v.Version == name })
	if i < 0 {
		return Version{}, false
	}
	return l.Versions[i], true
}

func (l *Listing) broken(format string, args ...any) {
	if len(l.Broken) < source.MaxSkipped {
		l.Broken = append(l.Broken, fmt.Sprintf(format, args...))
	}
}

// Index reads what an index holds of the charts that are wanted, and the names
// of all, in its order. It is read by its lines: taken apart as a whole, a large
// index would need a gigabyte of memory, for charts that nobody asks for. Every
// entry is taken apart by itself, so that a broken one costs no other.
func Index(index []byte, wanted map[string]bool) (found map[string]Listing, names []string, err error) {
	found = map[string]Listing{}
	index = bytes.TrimPrefix(index, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(index), []byte("{")) {
		return readJSON(index, wanted)
	}
	entries, err := entriesOf(index)
	if err != nil {
		return nil, nil, err
	}
	for section := range sections(entries) {
		head, rest, _ := bytes.Cut(section, []byte("\n"))
		name, value, err := splitKey(head)
		if err != nil {
			return nil, nil, err
		}
		names = append(names, name)
		if !wanted[name] {
			continue
		}
		var l Listing
		if value != "" {
			err = l.flow(name, value+"\n"+string(rest))
		} else {
			err = l.block(name, rest)
		}
		if err != nil {
			return nil, nil, err
		}
		found[name] = l
	}
	return found, names, nil
}

// entriesOf returns the lines below the key entries.
func entriesOf(index []byte) ([]byte, error) {
	for at := 0; at < len(index); {
		line, next := lineAt(index, at)
		key, value, _ := strings.Cut(string(line), ":")
		if key == "entries" || key == `"entries"` || key == `'entries'` {
			if value, _, _ = strings.Cut(value, "#"); strings.TrimSpace(value) == "{}" {
				return nil, nil
			}
			if strings.TrimSpace(value) != "" {
				return nil, errors.New("its entries are not written line by line")
			}
			end := next
			for end < len(index) {
				below, after := lineAt(index, end)
				if indent, blank := indentOf(below); !blank && indent == 0 {
					break
				}
				end = after
			}
			return index[next:end], nil
		}
		at = next
	}
	return nil, errors.New("it has no entries")
}

// lineAt returns the line that begins at a place, and where the next one does.
func lineAt(text []byte, at int) (line []byte, next int) {
	if end := bytes.IndexByte(text[at:], '\n'); end >= 0 {
		return bytes.TrimRight(text[at:at+end], "\r"), at + end + 1
	}
	return text[at:], len(text)
}

// indentOf counts the spaces before a line; blank is one with nothing but a
// comment.
func indentOf(line []byte) (indent int, blank bool) {
	trimmed := bytes.TrimLeft(line, " ")
	return len(line) - len(trimmed), len(bytes.TrimSpace(trimmed)) == 0 || trimmed[0] == '#'
}

// sections cuts lines into pieces that each begin with a line of the first one's
// indent. An entry of a list may have that indent too, as Helm writes it: it goes on
// with the piece.
func sections(lines []byte) func(yield func([]byte) bool) { return pieces(lines, false) }

func pieces(lines []byte, items bool) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		own, from := -1, 0
		for at := 0; at < len(lines); {
			line, next := lineAt(lines, at)
			indent, blank := indentOf(line)
			isItem := !blank && line[indent] == '-'
			switch {
			case blank:
			case own < 0:
				own, from = indent, at
			case indent == own && isItem == items:
				if !yield(lines[from:at]) {
					return
				}
				from = at
			}
			at = next
		}
		if own >= 0 {
			yield(lines[from:])
		}
	}
}

// splitKey takes "name: value" apart.
func splitKey(line []byte) (name, value string, err error) {
	var pair map[string]any
	if len(line) > maxFlow {
		return "", "", errors.New("it has a line that is too long")
	}
	text := strings.TrimSpace(string(line))
	if plain, rest, found := strings.Cut(text, ":"); found && strings.TrimSpace(rest) == "" && namePattern.MatchString(plain) {
		return plain, "", nil // as nearly all are
	}
	if err := yaml.Unmarshal(bytes.TrimSpace(line), &pair); err != nil || len(pair) != 1 {
		return "", "", fmt.Errorf("%.60q is not the name of a chart", text)
	}
	for key, v := range pair {
		if v == nil {
			return key, "", nil
		}
		_, value, _ = strings.Cut(text, ":") // no name of a chart holds a colon
		return key, strings.TrimSpace(value), nil
	}
	return "", "", nil
}

// namePattern is Helm's for a chart.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// block reads a list of entries that is written line by line.
func (l *Listing) block(name string, lines []byte) error {
	for item := range pieces(lines, true) {
		if len(item) > maxFlow {
			l.broken("an entry of chart %s is larger than %d MiB: publish it again", name, maxFlow>>20)
			continue
		}
		// As Helm reads it: a version that is written as a number is the text of it.
		var all []indexed
		if err := yaml.Unmarshal(item, &all); err != nil || len(all) != 1 {
			l.broken("an entry of chart %s cannot be read: publish it again", name)
			continue
		}
		if err := l.add(name, all[0]); err != nil {
			return err
		}
	}
	return nil
}

// flow reads a list of entries as one piece.
func (l *Listing) flow(name, text string) error {
	if len(text) > maxFlow {
		return fmt.Errorf("the entries of chart %s are not written line by line", name)
	}
	return l.list(name, []byte(text))
}

// list reads a list of entries that is taken apart already, or small.
func (l *Listing) list(name string, text []byte) error {
	var all []json.RawMessage
	if err := yaml.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("the entries of chart %s cannot be read", name)
	}
	for _, one := range all {
		var e indexed
		if err := yaml.Unmarshal(one, &e); err != nil {
			l.broken("an entry of chart %s cannot be read: publish it again", name)
			continue
		}
		if err := l.add(name, e); err != nil {
			return err
		}
	}
	return nil
}

// readJSON reads an index that is JSON, as Helm takes it too.
func readJSON(index []byte, wanted map[string]bool) (found map[string]Listing, names []string, err error) {
	var top struct {
		Entries *json.RawMessage `json:"entries"`
	}
	if err := json.Unmarshal(index, &top); err != nil {
		return nil, nil, errors.New("it is no JSON")
	}
	if top.Entries == nil {
		return nil, nil, errors.New("it has no entries")
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(*top.Entries, &entries); err != nil {
		return nil, nil, errors.New("its entries are no charts")
	}
	found = map[string]Listing{}
	for name, text := range entries {
		names = append(names, name)
		if !wanted[name] {
			continue
		}
		var l Listing
		if err := l.list(name, text); err != nil {
			return nil, nil, err
		}
		found[name] = l
	}
	slices.Sort(names)
	return found, names, nil
}

// indexed is an entry, as far as it is read.
type indexed struct {
	Version    string   `json:"version"`
	Digest     string   `json:"digest"`
	URLs       []string `json:"urls"`
	AppVersion string   `json:"appVersion"`
	Created    string   `json:"created"`
	Home       string   `json:"home"`
	Sources    []string `json:"sources"`
}

// add takes an entry in.
func (l *Listing) add(name string, e indexed) error {
	if len(l.Versions) >= maxVersions {
		return fmt.Errorf("it has more than %d versions of chart %s", maxVersions, name)
	}
	if !isVersion(e.Version) {
		l.broken("an entry of chart %s has the version %.60q, which is none: publish it again", name, e.Version)
		return nil
	}
	v := Version{Version: e.Version, Digest: digestOf(e.Digest), AppVersion: bounded(e.AppVersion), Created: timeOf(e.Created), Source: sourceOf(e.Sources, e.Home)}
	if len(e.URLs) > 0 && len(e.URLs[0]) <= maxURL {
		v.URL = e.URLs[0]
	}
	l.Versions = append(l.Versions, v)
	return nil
}
