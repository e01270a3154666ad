package receiver

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/selection"
)

// readGeneric asks an expression for the repositories of a payload. Each may be of
// any kind, and what was pushed to it is not known.
func readGeneric(repositories expression.Repositories, h http.Header, body []byte) ([]selection.Push, error) {
	var payload any
	if err := decode(body, &payload); err != nil {
		return nil, errors.New("the payload is not JSON: have it sent as that")
	}
	urls, err := repositories.Of(expression.Request{Body: payload, Header: h.Get})
	if err != nil {
		return nil, fmt.Errorf("the receiver's expression failed for the payload: %w", err)
	}
	pushes := make([]selection.Push, len(urls))
	for i, url := range urls {
		pushes[i] = selection.Push{RepoURLs: []string{url}}
	}
	return pushes, nil
}
