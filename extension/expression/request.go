package expression

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Request is what the expression of a generic webhook receiver sees, as
// request.body and request.header(…).
type Request struct {
	// Body is the payload, decoded from JSON.
	Body any `expr:"body"`
	// Header returns the value of a header, "" where there is none.
	Header func(name string) string `expr:"header"`
}

type requestScope struct {
	Request Request `expr:"request"`
}

// Repositories is a compiled expression that tells to which repositories a
// request says that something was pushed. It may be used by several goroutines at
// a time.
type Repositories struct{ program *vm.Program }

// The bounds of what an expression may give.
const (
	maxRepositories = 100
	maxRepository   = 2048 // bytes of an address
)

// CompileRepositories compiles the expression of a generic webhook receiver: its
// value is the URL of a repository, a list of them, or nil for none.
func CompileRepositories(text string) (Repositories, error) {
	if len(text) > maxLength {
		return Repositories{}, fmt.Errorf("the expression is longer than %d bytes", maxLength)
	}
	program, err := expr.Compile(text, expr.Env(requestScope{}), expr.MaxNodes(maxNodes), expr.DisableBuiltin("now"))
	if err != nil {
		return Repositories{}, fmt.Errorf("%q is not an expression: %s", text, firstLine(err))
	}
	return Repositories{program}, nil
}

// Of returns the URLs that the expression gives for a request, without empty
// ones. Its error may tell of the request's content.
func (r Repositories) Of(request Request) ([]string, error) {
	got, err := expr.Run(r.program, requestScope{request})
	if err != nil {
		return nil, errors.New(firstLine(err))
	}
	list := listOf(got)
	if len(list) > maxRepositories {
		return nil, fmt.Errorf("its value is a list of more than %d", maxRepositories)
	}
	var urls []string
	for _, item := range list {
		switch item := item.(type) {
		case nil:
		case string:
			if len(item) > maxRepository {
				return nil, fmt.Errorf("its value has more than %d bytes", maxRepository)
			}
			if item != "" {
				urls = append(urls, item)
			}
		default:
			return nil, fmt.Errorf("its value holds a %T, not the URL of a repository", item)
		}
	}
	return urls, nil
}

// listOf returns the items of a list, or the one that a value is.
func listOf(value any) []any {
	switch value := value.(type) {
	case []any:
		return value
	case []string: // of split
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = item
		}
		return items
	default:
		return []any{value}
	}
}
