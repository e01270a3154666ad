// Package refusal shapes the errors of the plugin.
//
// Argo CD shows what a plugin writes to standard error in the Application's
// conditions, after a preamble of its own and often cut short. So the first
// line has to stand alone: which Application, stage and freight, what is wrong,
// what to do about it. [Message] is the one place that makes that line.
package refusal

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is why the plugin renders nothing: a cause, and what a user can do
// about it. Neither names the Application, which [Message] does.
type Error struct {
	Cause  string
	Remedy string
	err    error
}

// New returns a refusal. The remedy may be empty when the cause tells it.
func New(cause, remedy string) error {
	return &Error{Cause: cause, Remedy: remedy}
}

// Wrap returns a refusal whose cause is an error, which stays in the chain. A
// remedy that the error ends in already is not told twice.
func Wrap(err error, remedy string) error {
	return &Error{Cause: strings.TrimSuffix(err.Error(), separators+remedy), Remedy: remedy, err: err}
}

// Error returns the cause, then the remedy.
func (e *Error) Error() string {
	if e.Remedy == "" {
		return e.Cause
	}
	return e.Cause + ": " + e.Remedy
}

// Unwrap returns the error that was wrapped, if any.
func (e *Error) Unwrap() error { return e.err }

// Subject is what a render was about, as far as it was known when it failed.
type Subject struct {
	Application string
	Stage       string
	// Freight holds short IDs, one for each origin.
	Freight []string
}

const (
	// maxLine is the length of the first line, in characters.
	maxLine = 199
	// maxMessage bounds all that is written: it ends up in the Application.
	maxMessage = 2000

	maxName    = 53 // of the Application: Argo CD's own limit for tracking by label is 63
	maxScope   = 60 // of stage and freight together
	minCause   = 40
	ellipsis   = "…"
	separators = ": "
)

// Message returns what to write to standard error: one line under 200
// characters that stands alone, and, where that had to be shortened, the whole
// text below it, bounded too.
func Message(subject Subject, err error) string {
	cause, remedy := Split(err)
	prefix := subject.prefix()
	line := prefix + cause
	if remedy != "" {
		line += separators + remedy
	}
	if utf8.RuneCountInString(line) <= maxLine {
		return line + "\n"
	}
	room := maxLine - utf8.RuneCountInString(prefix)
	short := shorten(cause, room)
	if remedy != "" {
		shortRemedy := shorten(remedy, room-minCause-len(separators))
		short = shorten(cause, room-len(separators)-utf8.RuneCountInString(shortRemedy)) + separators + shortRemedy
	}
	return shorten(prefix+short+"\n"+strings.TrimPrefix(line, prefix), maxMessage) + "\n"
}

// Split returns cause and remedy of an error, each as one clean line without what
// may be secret ([Scrub]). What wraps a refusal belongs to the cause; an error
// that is none has no remedy.
func Split(err error) (cause, remedy string) {
	cause = err.Error()
	var refused *Error
	if errors.As(err, &refused) && refused.Remedy != "" {
		cause = strings.TrimSuffix(cause, separators+refused.Remedy)
		remedy = refused.Remedy
	}
	return oneLine(Scrub(cause)), oneLine(Scrub(remedy))
}

func (s Subject) prefix() string {
	var scope []string
	if s.Stage != "" {
		scope = append(scope, "stage "+s.Stage)
	}
	if len(s.Freight) > 0 {
		scope = append(scope, "freight "+strings.Join(s.Freight, ", "))
	}
	prefix := "waybill-plugin"
	if s.Application != "" {
		prefix = "Application " + shorten(oneLine(s.Application), maxName)
	}
	if len(scope) > 0 {
		prefix += " (" + shorten(oneLine(strings.Join(scope, ", ")), maxScope) + ")"
	}
	return prefix + separators
}

// oneLine folds white space, and drops what a terminal or a web page could take
// for something else than text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// shorten cuts the middle out of a text, because libraries put where it
// happened first and what happened last.
func shorten(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	if limit < 2 {
		return ellipsis
	}
	head := limit / 2
	tail := limit - head - 1
	return string(runes[:head]) + ellipsis + string(runes[len(runes)-tail:])
}
