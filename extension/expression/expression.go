// Package expression compiles and runs the conditions that a pipeline document
// states in expr-lang: on commits and tags, and on the artifacts that would
// become freight; and the expressions that webhook receivers have, on what they are
// sent. It is pure: an expression sees what it is given, and can reach
// nothing else, no clock among it.
//
// Whoever may write a pipeline may write any condition, and one process runs
// those of all. The library bounds neither the size of texts nor time. So only
// that part of the language is taken in which both are bounded by the length of
// the expression, see [restrict].
package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Condition is a compiled expression over a T. It may be used by several
// goroutines at a time.
type Condition[T view[T]] struct{ program *vm.Program }

// view is what an expression sees.
type view[T any] interface {
	// clipped returns the view with its texts at most maxText long.
	clipped() T
}

const (
	// maxLength bounds an expression, in bytes, and maxNodes what it is read as.
	maxLength = 4 << 10
	maxNodes  = 500
	// maxText bounds each text that comes from outside, in bytes.
	maxText = 1 << 10
	// maxElements bounds the elements of all lists that one run makes.
	maxElements = 1e6
)

// compile makes a condition of an expression over T whose value is true or false.
// Its error goes on where a field was named.
func compile[T view[T]](text string) (Condition[T], error) {
	if strings.TrimSpace(text) == "" {
		return Condition[T]{}, errors.New("is empty: write a condition, which is true or false")
	}
	if len(text) > maxLength {
		return Condition[T]{}, fmt.Errorf("is longer than %d bytes: write a shorter condition", maxLength)
	}
	if err := restrict(text, functions, ""); err != nil {
		return Condition[T]{}, fmt.Errorf("is not a condition: %w", err)
	}
	var zero T
	program, err := expr.Compile(text, append(options(zero, functions), expr.AsBool())...)
	if err != nil {
		return Condition[T]{}, fmt.Errorf("is not a condition: %s", told(err, zero))
	}
	return Condition[T]{program}, nil
}

// options are those of every expression: what it sees, its functions, and no more.
func options(view any, functions []string) []expr.Option {
	all := []expr.Option{expr.Env(view), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, name := range functions {
		all = append(all, expr.EnableBuiltin(name))
	}
	return all
}

// Holds tells whether the condition holds for a value. Of the value's texts, the
// first KiB counts. It fails where the expression cannot be evaluated for that
// value.
func (c Condition[T]) Holds(of T) (bool, error) {
	machine := vm.VM{MemoryBudget: maxElements}
	got, err := machine.Run(c.program, of.clipped())
	if err != nil {
		return false, errors.New(firstLine(err))
	}
	holds, ok := got.(bool)
	if !ok {
		return false, fmt.Errorf("its value is %T, not true or false", got)
	}
	return holds, nil
}

// firstLine is what the library tells, without the drawing of where.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// clip shortens a text to maxText bytes, on a rune's boundary.
func clip(s string) string { return clipTo(s, maxText) }

func clipTo(s string, bytes int) string {
	if len(s) <= bytes {
		return s
	}
	return strings.ToValidUTF8(s[:bytes], "")
}
