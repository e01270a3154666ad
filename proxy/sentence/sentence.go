// Package sentence makes errors that are sentences for people: what others said
// fits into one line of it, and what caused it is kept for the caller and not told.
package sentence

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is a sentence for people, and what it is for the caller.
type Error struct {
	sentence string
	causes   []error
}

func (e *Error) Error() string { return e.sentence }

// Unwrap returns what it is, for errors.Is and errors.As.
func (e *Error) Unwrap() []error { return e.causes }

// Fail makes the error of a sentence, of a kind, with a cause that may be nil.
func Fail(kind, cause error, format string, args ...any) error {
	e := &Error{fmt.Sprintf(format, args...), []error{kind}}
	if cause != nil {
		e.causes = append(e.causes, cause)
	}
	return e
}

const maxTold = 300 // bytes that are repeated of what others said

// OneLine makes foreign text fit into a sentence.
func OneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError
	}), " ")
	if len(text) > maxTold {
		text = strings.ToValidUTF8(text[:maxTold], "") + " …"
	}
	return text
}
