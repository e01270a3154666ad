package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Request is what the expression of a generic webhook receiver sees, as
// request.body and request.header(…).
type Request struct {
	// Body is the payload, decoded from JSON. Of each of its texts, the first 8 KiB
	// count, and a list of more than 1,000 items is left out.
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

// The bounds of what an expression is given, and of what it may give.
const (
	maxPayloadText  = 8 << 10 // bytes of a text of the body
	maxPayloadItems = 1000    // items of a list of it
	maxRepositories = 100
	maxRepository   = 2048 // bytes of an address
)

// CompileRepositories compiles the expression of a generic webhook receiver: its
// value is the URL of a repository, a list of them, or nil for none. Its error goes
// on where the expression was named, and does not repeat it.
func CompileRepositories(text string) (Repositories, error) {
	if len(text) > maxLength {
		return Repositories{}, fmt.Errorf("is longer than %d bytes: write a shorter expression", maxLength)
	}
	if err := restrict(text, requestFunctions, "request"); err != nil {
		return Repositories{}, fmt.Errorf("is not an expression that may stand here: %w", err)
	}
	program, err := expr.Compile(text, options(requestScope{}, requestFunctions)...)
	if err != nil {
		return Repositories{}, fmt.Errorf("is not an expression that may stand here: %s", told(err, requestScope{}))
	}
	return Repositories{program}, nil
}

// Of returns the URLs that the expression gives for a request, without empty
// ones. Its error may tell of the request's content. What is beyond the bounds is
// taken out of the request's body.
func (r Repositories) Of(request Request) ([]string, error) {
	request.Body = bounded(request.Body)
	machine := vm.VM{MemoryBudget: maxElements}
	got, err := machine.Run(r.program, requestScope{request})
	if err != nil {
		line := firstLine(err)
		if strings.HasPrefix(line, "reflect: ") { // the library's words for no list
			line = fmt.Sprintf("what it takes for a list is none, or has more than %d items", maxPayloadItems)
		}
		return nil, errors.New(line)
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

// bounded returns a decoded payload within what an expression is given, see
// [Request]. Lists and objects are changed, not copied.
func bounded(value any) any {
	switch value := value.(type) {
	case string:
		return clipTo(value, maxPayloadText)
	case []any:
		if len(value) > maxPayloadItems {
			return nil
		}
		for i, item := range value {
			value[i] = bounded(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = bounded(item)
		}
	}
	return value
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
