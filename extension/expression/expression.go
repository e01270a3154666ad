// Package expression compiles and runs the conditions that a pipeline document
// states in expr-lang: on commits and tags, and on the artifacts that would
// become freight. It is pure: an expression sees what it is given, and can reach
// nothing else.
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
type Condition[T any] struct{ program *vm.Program }

// maxLength bounds an expression, in bytes, and maxNodes what it is compiled to.
const (
	maxLength = 4 << 10
	maxNodes  = 1000
)

// compile makes a condition of an expression over T whose value is true or false.
func compile[T any](text string) (Condition[T], error) {
	if strings.TrimSpace(text) == "" {
		return Condition[T]{}, errors.New("is empty: write a condition, which is true or false")
	}
	if len(text) > maxLength {
		return Condition[T]{}, fmt.Errorf("the expression is longer than %d bytes", maxLength)
	}
	var zero T
	program, err := expr.Compile(text, expr.Env(zero), expr.AsBool(), expr.MaxNodes(maxNodes),
		// The same commit must be judged the same tomorrow.
		expr.DisableBuiltin("now"))
	if err != nil {
		return Condition[T]{}, fmt.Errorf("%q is not a condition: %s", text, firstLine(err))
	}
	return Condition[T]{program}, nil
}

// Holds tells whether the condition holds for a value. It fails where the
// expression cannot be evaluated for that value, or takes too much memory.
func (c Condition[T]) Holds(of T) (bool, error) {
	got, err := expr.Run(c.program, of)
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
