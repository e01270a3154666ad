package convert

import (
	"fmt"
	"slices"
	"strings"
)

// Change is a run of lines in the place of another.
type Change struct {
	// Line is where it begins in the old text, counted from 1. Nothing of the old
	// text is replaced where Old is empty: the lines go before it.
	Line     int
	Old, New []string
}

// changes tells in lines what edits did.
func (s *stream) changes(edits []edit) []Change {
	var all []Change
	for i := 0; i < len(edits); {
		first := s.number(edits[i].start)
		last := s.number(edits[i].end)
		var text strings.Builder
		at := s.starts[first-1]
		// Edits of the same line are one change.
		for ; i < len(edits) && s.number(edits[i].start) <= last; i++ {
			text.WriteString(s.text[at:edits[i].start])
			text.WriteString(edits[i].text)
			at = edits[i].end
			last = max(last, s.number(at))
		}
		end := len(s.text)
		if last < len(s.starts) {
			end = s.starts[last]
		}
		text.WriteString(s.text[at:end])
		c := Change{Line: first, Old: lines(s.text[s.starts[first-1]:end]), New: lines(text.String())}
		all = append(all, c.trim())
	}
	return all
}

// number of the line that an offset is in, counted from 1.
func (s *stream) number(offset int) int {
	i, found := slices.BinarySearch(s.starts, offset)
	if found {
		return i + 1
	}
	return i
}

func lines(text string) []string { return slices.Collect(strings.Lines(text)) }

// trim leaves out lines that are the same on both sides.
func (c Change) trim() Change {
	for len(c.Old) > 0 && len(c.New) > 0 && c.Old[0] == c.New[0] {
		c.Old, c.New = c.Old[1:], c.New[1:]
		c.Line++
	}
	for len(c.Old) > 0 && len(c.New) > 0 && c.Old[len(c.Old)-1] == c.New[len(c.New)-1] {
		c.Old, c.New = c.Old[:len(c.Old)-1], c.New[:len(c.New)-1]
	}
	return c
}

// contextLines stand around a change, as diff -u has them.
const contextLines = 3

// Unified writes changes of a text as diff -u does.
func Unified(name string, text []byte, changes []Change) string {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return len(c.Old) == 0 && len(c.New) == 0 })
	if len(changes) == 0 {
		return ""
	}
	old := lines(string(text))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	shift := 0
	for i := 0; i < len(changes); {
		from := max(1, changes[i].Line-contextLines)
		to := from - 1 // the last line of the old text in this hunk
		var body strings.Builder
		removed, added := 0, 0
		at := from
		for ; i < len(changes) && (to < from || changes[i].Line-contextLines <= to+1); i++ {
			c := changes[i]
			write(&body, " ", old[at-1:c.Line-1])
			write(&body, "-", c.Old)
			write(&body, "+", c.New)
			removed, added = removed+len(c.Old), added+len(c.New)
			at = c.Line + len(c.Old)
			to = min(len(old), at-1+contextLines)
		}
		write(&body, " ", old[at-1:to])
		count := to - from + 1
		fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(from, count), span(from+shift, count-removed+added))
		out.WriteString(body.String())
		shift += added - removed
	}
	return out.String()
}

func span(from, count int) string {
	if count == 0 {
		from--
	}
	return fmt.Sprintf("%d,%d", from, count)
}

func write(out *strings.Builder, mark string, lines []string) {
	for _, line := range lines {
		out.WriteString(mark)
		out.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}
