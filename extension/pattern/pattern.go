// Package pattern reads the regular expressions that a pipeline document states.
//
// Whoever may write a pipeline may write any, and one process matches those of
// all. A match takes time in proportion to the text, times what the expression
// stands for; and a few letters stand for millions where they are repeated. So
// that is bounded.
package pattern

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// maxSize bounds what an expression stands for, its repetitions written out: in
// characters, and in what stands beside them for a choice or a group.
const maxSize = 1000

// Compile reads a regular expression (RE2). Its error is a sentence that begins
// with the expression.
func Compile(text string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression (RE2): %w", text, err)
	}
	if size(tree) > maxSize {
		return nil, fmt.Errorf("%.60q stands for more than %d characters, its repetitions written out: repeat less, or write several", text, maxSize)
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression (RE2): %w", text, err)
	}
	return compiled, nil
}

// size is what an expression stands for, or more than is taken.
func size(tree *syntax.Regexp) int {
	sum := 1
	if tree.Op == syntax.OpLiteral {
		sum = len(tree.Rune)
	}
	for _, sub := range tree.Sub {
		sum = min(sum+size(sub), maxSize+1)
	}
	if tree.Op == syntax.OpRepeat {
		// One without an end is written out as often as it has to be there, and once.
		sum *= max(tree.Max, tree.Min+1)
	}
	return sum
}
