package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// style is how to draw on an output.
type style struct {
	// terminal draws marks and lines, and a status that is drawn over; without,
	// output is plain ASCII where the words themselves are.
	terminal bool
	colour   bool
	env      func(string) string
}

func styleOf(out io.Writer, env func(string) string) style {
	file, ok := out.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd())) && env("TERM") != "dumb"
	return style{terminal: terminal, colour: terminal && env("NO_COLOR") == "", env: env}
}

// mark is the sign before a line.
type mark int

const (
	markYes mark = iota
	markNo
	markWait
	markWarn
)

func (s style) mark(m mark) string {
	signs := [...]struct{ sign, word, colour string }{
		markYes:  {"✓", "[ok]", "\x1b[32m"},
		markNo:   {"✗", "[no]", "\x1b[31m"},
		markWait: {"…", "[..]", "\x1b[33m"},
		markWarn: {"!", "[!!]", "\x1b[33m"},
	}
	switch m := signs[m]; {
	case s.colour:
		return m.colour + m.sign + "\x1b[0m"
	case s.terminal:
		return m.sign
	default:
		return m.word
	}
}

// clean takes out of other people's words what a terminal would obey: escape
// sequences, line breaks, marks that turn the direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return unicode.ReplacementChar
		}
	}, s)
}

// print writes to the output.
func (c *command) print(format string, args ...any) error {
	if _, err := fmt.Fprintf(c.Out, format, args...); err != nil {
		return fmt.Errorf("the output cannot be written: %w", err)
	}
	return nil
}
