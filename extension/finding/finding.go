// Package finding is what a doctor says: one fact of an installation, how bad it
// is, and what mends it. The plugin's doctor looks at the sidecar from within,
// the command line's at the cluster, and both tell it in one form.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Severity tells how bad a finding is.
type Severity string

// The severities.
const (
	// OK is as it should be.
	OK Severity = "ok"
	// Warning works, but not as well or as safely as it could; or could not be
	// looked at.
	Warning Severity = "warning"
	// Error keeps something from working.
	Error Severity = "error"
)

func (s Severity) rank() int { return slices.Index([]Severity{OK, Warning, Error}, s) }

// Finding is one fact.
type Finding struct {
	// Check groups what belongs together.
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	// Fact is what was found, without a full stop.
	Fact string `json:"fact"`
	// Remedy is what to do about it; empty where nothing is to be done.
	Remedy string `json:"remedy,omitempty"`
	// Subjects are all that the fact is about, where it names the first alone.
	Subjects []string `json:"subjects,omitempty"`
}

// List collects the findings of one check.
type List struct {
	check string
	all   []Finding
}

// For returns an empty list of a check.
func For(check string) *List { return &List{check: check} }

// OK adds that something is as it should be.
func (l *List) OK(format string, args ...any) { l.add(OK, "", format, args) }

// Warn adds a warning.
func (l *List) Warn(remedy, format string, args ...any) { l.add(Warning, remedy, format, args) }

// Fail adds an error.
func (l *List) Fail(remedy, format string, args ...any) { l.add(Error, remedy, format, args) }

func (l *List) add(severity Severity, remedy, format string, args []any) {
	l.all = append(l.all, Finding{Check: l.check, Severity: severity, Fact: line(fmt.Sprintf(format, args...)), Remedy: line(remedy)})
}

// About adds all that the last finding is about, see [Finding].
func (l *List) About(subjects []string) { l.all[len(l.all)-1].Subjects = subjects }

// All returns what was added, in that order.
func (l *List) All() []Finding { return l.all }

// Worst returns the greatest severity, OK of none.
func Worst(all []Finding) Severity {
	if len(all) == 0 {
		return OK
	}
	return slices.MaxFunc(all, func(a, b Finding) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) }).Severity
}

// Count returns how many findings have a severity.
func Count(all []Finding, severity Severity) int {
	n := 0
	for _, f := range all {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// Names writes a list of names for a sentence, the first few of many.
func Names(all []string) string {
	const shown = 5
	if len(all) <= shown {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:shown], ", "), len(all)-shown)
}

// maxLine bounds a fact and a remedy, in characters: they quote what others wrote.
const maxLine = 600

// line makes one clean line of a text that may quote anything: no line break, no
// character that a terminal would obey.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > maxLine {
		return string(runes[:maxLine]) + "…"
	}
	return string(runes)
}
