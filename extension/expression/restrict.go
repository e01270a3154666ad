package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser"
)

// functions are those of the language that a condition may use. None makes a text
// that is longer than what it is made of, none tells the time.
var functions = []string{
	"len", "type", "lower", "upper", "trim", "trimPrefix", "trimSuffix", "hasPrefix", "hasSuffix", "indexOf", "lastIndexOf", "split",
	"int", "float", "abs", "ceil", "floor", "round", "min", "max", "date", "duration",
	"first", "last", "all", "any", "none", "one", "filter", "find", "count",
}

// restrict refuses what could take memory or time without a bound: variables, in
// which a text doubles with each step; functions that repeat, join or write out;
// ranges; a condition on the elements of a list within another one.
func restrict(text string) error {
	tree, err := parser.Parse(text)
	if err != nil {
		return errors.New(firstLine(err))
	}
	var found restriction
	ast.Walk(&tree.Node, &found)
	return found.err
}

// restriction finds the first thing that is refused.
type restriction struct{ err error }

// Visit implements [ast.Visitor].
func (r *restriction) Visit(node *ast.Node) {
	if r.err == nil {
		r.err = refused(*node)
	}
}

func refused(node ast.Node) error {
	switch n := node.(type) {
	case *ast.VariableDeclaratorNode:
		return errors.New("let is not allowed here: write the value where it is used")
	case *ast.SequenceNode:
		return errors.New("several expressions (;) are not allowed here: write one")
	case *ast.BinaryNode:
		if n.Operator == ".." {
			return errors.New("ranges (..) are not allowed here: compare with >= and <=")
		}
	case *ast.BuiltinNode:
		if !slices.Contains(functions, n.Name) {
			return unknown(n.Name)
		}
		// The third argument is read from the machine's files.
		if n.Name == "date" && len(n.Arguments) > 2 {
			return errors.New("date takes no time zone here: write it into the date, as 2026-01-31T00:00:00+01:00")
		}
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && slices.Contains(builtin.Names, name.Value) {
			return unknown(name.Value)
		}
	case *ast.PredicateNode:
		var within predicates
		ast.Walk(&n.Node, &within)
		if within > 0 {
			return errors.New("a condition on the elements of a list cannot hold another one: write one list")
		}
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("%s is not allowed here: the functions are %s", name, strings.Join(functions, ", "))
}

// predicates counts conditions on the elements of lists.
type predicates int

// Visit implements [ast.Visitor].
func (p *predicates) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		*p++
	}
}
