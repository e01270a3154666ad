package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser"

	"github.com/waybill-cd/waybill/extension/pattern"
)

// functions are those of the language that a condition may use. None makes a text
// that is longer than what it is made of, none tells the time.
var functions = []string{
	"len", "type", "lower", "upper", "trim", "trimPrefix", "trimSuffix", "hasPrefix", "hasSuffix", "indexOf", "lastIndexOf", "split",
	"int", "float", "abs", "ceil", "floor", "round", "min", "max", "date", "duration",
	"first", "last", "all", "any", "none", "one", "filter", "find", "count",
}

// requestFunctions are those that the expression of a webhook receiver may use. The
// ones that conditions have not got give no more than the text or list that they
// are given.
var requestFunctions = append(slices.Clone(functions), "map", "fromJSON", "fromBase64")

// methods are what may be asked of a date, of a month and a weekday, and of a
// duration. Format is none of them: it takes a text for what to write where, and
// makes a longer one of it, so that one within another doubles it each time.
var methods = []string{
	"Year", "Month", "Day", "YearDay", "Weekday", "Hour", "Minute", "Second", "Unix",
	"UTC", "Add", "AddDate", "Before", "After", "Equal", "Sub", "Hours", "Minutes", "Seconds", "String",
}

// maxSums bounds the sums (+) of an expression, and with that how far they make a
// text grow.
const maxSums = 16

// restrict refuses what could take memory or time without a bound: variables, in
// which a text doubles with each step; functions and methods that repeat, join or
// write out; ranges; many sums; large or computed regular expressions; what is done
// with the elements of a list within what is done with those of another, or, where
// whole is the name of something large, with that at each element; and to match one
// text at each element of a list that is not written out.
func restrict(text string, functions []string, whole string) error {
	tree, err := parser.Parse(text)
	if err != nil {
		return errors.New(firstLine(err))
	}
	found := restriction{functions: functions, whole: whole}
	ast.Walk(&tree.Node, &found)
	return found.err
}

// restriction finds the first thing that is refused.
type restriction struct {
	functions []string
	whole     string
	sums      int
	err       error
}

// Visit implements [ast.Visitor].
func (r *restriction) Visit(node *ast.Node) {
	if r.err == nil {
		r.err = r.refused(*node)
	}
}

func (r *restriction) refused(node ast.Node) error {
	switch n := node.(type) {
	case *ast.VariableDeclaratorNode:
		return errors.New("let is not allowed here: write the value where it is used")
	case *ast.SequenceNode:
		return errors.New("several expressions (;) are not allowed here: write one")
	case *ast.BinaryNode:
		switch n.Operator {
		case "..":
			return errors.New("ranges (..) are not allowed here: compare with >= and <=")
		case "matches":
			return refusedPattern(n.Right)
		case "+":
			if r.sums++; r.sums > maxSums {
				return fmt.Errorf("more than %d sums (+) are not allowed here: write a shorter one", maxSums)
			}
		}
	case *ast.BuiltinNode:
		if !slices.Contains(r.functions, n.Name) {
			return r.unknown(n.Name)
		}
		// The third argument is read from the machine's files.
		if n.Name == "date" && len(n.Arguments) > 2 {
			return errors.New("date takes no time zone here: write it into the date, as 2026-01-31T00:00:00+01:00")
		}
		if matchesAnother(n.Arguments) {
			return errors.New("matches goes with # in what is done with each element of a list: match another text outside of it")
		}
	case *ast.CallNode:
		return r.refusedCall(n.Callee)
	case *ast.PredicateNode:
		within := predicate{whole: r.whole}
		ast.Walk(&n.Node, &within)
		switch {
		case within.another:
			return errors.New("a condition on the elements of a list cannot hold another one: write one list")
		case within.hasWhole:
			return fmt.Errorf("%s is not allowed in what is done with each element of a list: write # for the element", r.whole)
		}
	}
	return nil
}

// matchesAnother tells that something other than the element is matched at each
// element of a list, which may have a thousand.
func matchesAnother(arguments []ast.Node) bool {
	if len(arguments) < 2 {
		return false
	}
	if _, written := arguments[0].(*ast.ArrayNode); written {
		return false
	}
	return slices.ContainsFunc(arguments[1:], func(done ast.Node) bool {
		if _, ok := done.(*ast.PredicateNode); !ok {
			return false
		}
		return ast.Find(done, func(node ast.Node) bool {
			match, ok := node.(*ast.BinaryNode)
			return ok && match.Operator == "matches" && ast.Find(match.Left, isIdentifier) != nil
		}) != nil
	})
}

func isIdentifier(node ast.Node) bool {
	_, is := node.(*ast.IdentifierNode)
	return is
}

// refusedPattern tells why a regular expression may not be matched with: one that is
// computed could be any, and be compiled for each match.
func refusedPattern(node ast.Node) error {
	text, ok := node.(*ast.StringNode)
	if !ok {
		return errors.New("a computed regular expression is not allowed here: write it out after matches")
	}
	_, err := pattern.Compile(text.Value)
	return err
}

// refusedCall tells why what is called may not be: a function, a method, or what
// the whole itself offers.
func (r *restriction) refusedCall(callee ast.Node) error {
	name := ""
	switch n := callee.(type) {
	case *ast.IdentifierNode:
		if slices.Contains(builtin.Names, n.Value) {
			return r.unknown(n.Value)
		}
		return nil
	case *ast.MemberNode:
		if of, ok := n.Node.(*ast.IdentifierNode); ok && r.whole != "" && of.Value == r.whole {
			return nil
		}
		if property, ok := n.Property.(*ast.StringNode); ok {
			name = property.Value
		}
	}
	if slices.Contains(methods, name) {
		return nil
	}
	return fmt.Errorf("%s() is not allowed here: of a date or a duration, there are %s", name, strings.Join(methods, ", "))
}

func (r *restriction) unknown(name string) error {
	return fmt.Errorf("%s is not allowed here: the functions are %s", name, strings.Join(r.functions, ", "))
}

// predicate tells what is in something that is done with each element of a list.
type predicate struct {
	whole             string
	another, hasWhole bool
}

// Visit implements [ast.Visitor].
func (p *predicate) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		p.another = true
	case *ast.IdentifierNode:
		// All that an expression sees at once is $env.
		p.hasWhole = p.hasWhole || p.whole != "" && (n.Value == p.whole || n.Value == "$env")
	}
}
