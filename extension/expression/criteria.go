package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Criteria is what the freightCreationCriteria of a warehouse see: functions
// that find an artifact of the candidate by its repository. Where there are
// several of one repository, names tell which: that of the subscription, that of
// the chart. The functions are named as Kargo's.
type Criteria struct {
	ImageFrom  func(repoURL string, name ...string) (freight.Image, error) `expr:"imageFrom"`
	CommitFrom func(repoURL string, name ...string) (CommitFound, error)   `expr:"commitFrom"`
	ChartFrom  func(repoURL string, name ...string) (ChartFound, error)    `expr:"chartFrom"`
}

// The functions of [Of] clip what they find.
func (c Criteria) clipped() Criteria { return c }

// CommitFound is a commit of the candidate, with what is known about it.
type CommitFound struct {
	RepoURL, ID, Tag, Subject, Author string
}

// ChartFound is a chart of the candidate, with what is known about it.
type ChartFound struct {
	RepoURL, Name, Version, Digest, AppVersion string
}

// CompileCriteria compiles the freightCreationCriteria of a warehouse.
func CompileCriteria(text string) (Condition[Criteria], error) { return compile[Criteria](text) }

// CheckCriteria compiles criteria, and tells of an artifact that they look for in
// vain: among those of a warehouse, of which the versions do not matter. What an
// expression computes a name for is found out only when it is judged.
func CheckCriteria(text string, artifacts freight.Artifacts) error {
	if _, err := CompileCriteria(text); err != nil {
		return err
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return errors.New(firstLine(err))
	}
	found := lookups{in: Of(artifacts, nil)}
	ast.Walk(&tree.Node, &found)
	return found.err
}

// lookups makes those of an expression, and keeps the first error.
type lookups struct {
	in  Criteria
	err error
}

// Visit implements [ast.Visitor].
func (l *lookups) Visit(node *ast.Node) {
	call, ok := (*node).(*ast.CallNode)
	if !ok || l.err != nil || len(call.Arguments) == 0 {
		return
	}
	var names []string
	for _, argument := range call.Arguments {
		name, ok := argument.(*ast.StringNode)
		if !ok {
			return
		}
		names = append(names, name.Value)
	}
	callee, _ := call.Callee.(*ast.IdentifierNode)
	switch {
	case callee == nil:
	case callee.Value == "imageFrom":
		_, l.err = l.in.ImageFrom(names[0], names[1:]...)
	case callee.Value == "commitFrom":
		_, l.err = l.in.CommitFrom(names[0], names[1:]...)
	case callee.Value == "chartFrom":
		_, l.err = l.in.ChartFrom(names[0], names[1:]...)
	}
}

// Of returns the criteria's view of what would become freight.
func Of(artifacts freight.Artifacts, details []freight.Detail) Criteria {
	return Criteria{
		ImageFrom: func(repoURL string, names ...string) (freight.Image, error) {
			return only("image", repoURL, names, artifacts.Images, func(i freight.Image) (bool, []string) {
				return freight.ImageRepository(i.RepoURL) == freight.ImageRepository(repoURL), []string{i.Subscription}
			})
		},
		CommitFrom: func(repoURL string, names ...string) (CommitFound, error) {
			c, err := only("commit", repoURL, names, artifacts.Commits, func(c freight.Commit) (bool, []string) {
				return freight.GitRepository(c.RepoURL) == freight.GitRepository(repoURL), []string{c.Subscription}
			})
			d := detail(details, freight.Detail{Kind: freight.KindCommit, RepoURL: c.RepoURL, Subscription: c.Subscription})
			return CommitFound{RepoURL: c.RepoURL, ID: c.ID, Tag: c.Tag, Subject: clip(d.Subject), Author: clip(d.Author)}, err
		},
		ChartFrom: func(repoURL string, names ...string) (ChartFound, error) {
			c, err := only("chart", repoURL, names, artifacts.Charts, func(c freight.Chart) (bool, []string) {
				return freight.ChartRepository(c.RepoURL) == freight.ChartRepository(repoURL), []string{c.Subscription, c.Name}
			})
			d := detail(details, freight.Detail{Kind: freight.KindChart, RepoURL: c.RepoURL, Subscription: c.Subscription, Name: c.Name})
			return ChartFound{RepoURL: c.RepoURL, Name: c.Name, Version: c.Version, Digest: c.Digest, AppVersion: clip(d.AppVersion)}, err
		},
	}
}

// only returns the one artifact of a repository that bears all of the names.
func only[A any](kind, repoURL string, names []string, all []A, of func(A) (bool, []string)) (A, error) {
	var found []A
	for _, a := range all {
		same, has := of(a)
		if same && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(has, name) }) {
			found = append(found, a)
		}
	}
	var none A
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		called := ""
		if len(names) > 0 {
			called = " that is called " + strings.Join(names, ", ")
		}
		return none, fmt.Errorf("the warehouse finds no %s of %s%s: name what it subscribes to", kind, repoURL, called)
	default:
		return none, fmt.Errorf("the warehouse finds %d of %s: name the subscription too, %sFrom(%q, name)", len(found), repoURL, kind, repoURL)
	}
}

// detail returns what is known of an artifact.
func detail(details []freight.Detail, of freight.Detail) freight.Detail {
	for _, d := range details {
		if d.Kind == of.Kind && d.RepoURL == of.RepoURL && d.Subscription == of.Subscription && d.Name == of.Name {
			return d
		}
	}
	return of
}
