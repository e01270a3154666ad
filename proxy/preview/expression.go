package preview

import (
	"slices"
	"time"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/itchyny/gojq"
)

// Bounds of spec.ignoreDifferences, which whoever may edit the Application
// writes, and which is evaluated here for every object that changes.
const (
	maxIgnored    = 256     // pointers and expressions
	maxExpression = 4 << 10 // bytes of one
	maxNodes      = 256     // queries and terms of one
	// maxIgnoring bounds the time that the expressions of one Application take in
	// a comparison.
	maxIgnoring = 5 * time.Second
)

// harmless returns what of an Application's ignoreDifferences is applied. Of jq
// expressions those that choose paths are: fields, elements, select with
// comparisons. What computes could fill this process's memory at once, however
// little time it is given; it is left out, so that its fields are shown as they
// are.
func harmless(ignore []v1alpha1.ResourceIgnoreDifferences) ([]v1alpha1.ResourceIgnoreDifferences, error) {
	count := 0
	kept := make([]v1alpha1.ResourceIgnoreDifferences, len(ignore))
	for i, d := range ignore {
		count += len(d.JSONPointers) + len(d.JQPathExpressions)
		d.JQPathExpressions = slices.DeleteFunc(slices.Clone(d.JQPathExpressions), func(e string) bool { return !choosesPaths(e) })
		kept[i] = d
	}
	if count > maxIgnored {
		return nil, refuse("its spec.ignoreDifferences has %d entries, more than a preview applies: keep %d", count, maxIgnored)
	}
	return kept, nil
}

// choosesPaths tells whether a jq expression does nothing but choose paths.
func choosesPaths(expression string) bool {
	if len(expression) > maxExpression {
		return false
	}
	q, err := gojq.Parse(expression)
	if err != nil {
		return false
	}
	v := &visit{left: maxNodes}
	// A comma adds paths to others. Below a pipe, an argument or a comparison it
	// multiplies them, and a line of those is more paths than any memory holds.
	for q.Op == gojq.OpComma && plainHead(q) {
		if !v.query(q.Right) {
			return false
		}
		q = q.Left
	}
	return v.query(q)
}

var (
	plainOperators = []gojq.Operator{
		gojq.OpPipe, gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpLt, gojq.OpGe, gojq.OpLe, gojq.OpAnd, gojq.OpOr, gojq.OpAlt,
	}
	plainFunctions = []string{
		"select", "not", "has", "any", "all", "type", "length", "empty", "test", "startswith", "endswith", "contains", "true", "false", "null",
	}
	plainTerms = []gojq.TermType{
		gojq.TermTypeIdentity, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeIndex, gojq.TermTypeFunc,
		gojq.TermTypeNumber, gojq.TermTypeString, gojq.TermTypeQuery,
	}
)

// visit looks at an expression for as long as it has no more than so many parts.
type visit struct{ left int }

func (v *visit) query(q *gojq.Query) bool {
	if q == nil {
		return true
	}
	v.left--
	switch {
	case v.left < 0 || !plainHead(q):
		return false
	case q.Term != nil:
		return v.term(q.Term)
	default:
		return slices.Contains(plainOperators, q.Op) && v.query(q.Left) && v.query(q.Right)
	}
}

// plainHead is that of a query which defines nothing.
func plainHead(q *gojq.Query) bool {
	return q.Meta == nil && len(q.Imports) == 0 && len(q.FuncDefs) == 0 && q.Func == ""
}

func (v *visit) term(t *gojq.Term) bool {
	v.left -= 1 + len(t.SuffixList)
	if v.left < 0 || !slices.Contains(plainTerms, t.Type) || !v.index(t.Index) || !plainString(t.Str) || !v.query(t.Query) || t.Format != "" {
		return false
	}
	if t.Func != nil && (!slices.Contains(plainFunctions, t.Func.Name) || slices.ContainsFunc(t.Func.Args, func(q *gojq.Query) bool { return !v.query(q) })) {
		return false
	}
	return !slices.ContainsFunc(t.SuffixList, func(s *gojq.Suffix) bool { return s.Bind != nil || !v.index(s.Index) })
}

func (v *visit) index(i *gojq.Index) bool {
	return i == nil || plainString(i.Str) && v.query(i.Start) && v.query(i.End)
}

// plainString is one without expressions in it.
func plainString(s *gojq.String) bool { return s == nil || len(s.Queries) == 0 }
