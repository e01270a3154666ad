package pipeline

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	// Path is the field's: stages[2].approval.required. Empty for the whole.
	Path string `json:"path"`
	// Message tells what is wrong and what is allowed.
	Message string `json:"message"`
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Invalid is the error of a document that cannot come into force.
type Invalid struct {
	Pipeline Name
	Problems []Problem
}

// maxProblems bounds what is told of one document: more help nobody.
const maxProblems = 20

func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return fmt.Sprintf("ConfigMap %s, %s: %s", e.Pipeline, Key, strings.Join(lines, "; "))
}

// maxPath and maxMessage bound one problem, in bytes: both may quote the
// document, and are stored and shown.
const (
	maxPath    = 200
	maxMessage = 500
)

// problems collects what is wrong, in the order in which it is found.
type problems []Problem

func (p *problems) add(path, format string, args ...any) {
	if len(*p) < maxProblems {
		*p = append(*p, Problem{Path: clip(path, maxPath), Message: clip(fmt.Sprintf(format, args...), maxMessage)})
	}
}

// clip shortens a text to some bytes, on a rune's boundary.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
