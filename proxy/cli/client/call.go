package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// Door is how a call comes to Waybill: on behalf of an Application, through a
// gate, which is one of Argo CD's proxy extensions.
type Door struct {
	Application Application
	Gate        string
}

// The headers by which Argo CD is told the Application.
const (
	headerApplication = "Argocd-Application-Name"
	headerProject     = "Argocd-Project-Name"
)

// Document is an answer as it came, with what this version understands of it.
type Document[T any] struct {
	Raw   json.RawMessage
	Value T
}

// UnmarshalJSON keeps the text and reads the value.
func (d *Document[T]) UnmarshalJSON(text []byte) error {
	d.Raw = append(json.RawMessage(nil), text...)
	return json.Unmarshal(text, &d.Value)
}

// MarshalJSON writes the document as it came.
func (d Document[T]) MarshalJSON() ([]byte, error) { return d.Raw, nil }

// Pipeline returns the segment of a path that names a pipeline.
func Pipeline(name pipeline.Name) string {
	return strings.ReplaceAll(name.Short(), "/", ":")
}

// Get reads the document at a path below the API's prefix. Each element of the
// path is one segment.
func (c *Client) Get(ctx context.Context, through Door, answer any, query url.Values, path ...string) error {
	_, _, err := c.GetIfChanged(ctx, through, "", answer, query, path...)
	return err
}

// GetIfChanged is Get for a poll: etag is the tag of the last answer, and
// changed is false where the document is still that one.
func (c *Client) GetIfChanged(ctx context.Context, through Door, etag string, answer any, query url.Values, path ...string) (tag string, changed bool, err error) {
	response, err := c.call(ctx, http.MethodGet, through, etag, nil, query, path)
	if err != nil {
		return "", false, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return etag, false, nil
	}
	return response.Header.Get("ETag"), true, decode(response, answer)
}

// Post asks for a change. A nil answer is not read. The status tells apart what
// was made (201) and what was there already (200).
func (c *Client) Post(ctx context.Context, through Door, ask, answer any, path ...string) (status int, err error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return 0, fmt.Errorf("the request cannot be written: %w", err)
	}
	response, err := c.call(ctx, http.MethodPost, through, "", body, nil, path)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if answer == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, decode(response, answer)
}

func (c *Client) call(ctx context.Context, method string, through Door, etag string, body []byte, query url.Values, path []string) (*http.Response, error) {
	segments := []string{"extensions", url.PathEscape(through.Gate), v1.Prefix}
	if err := segment(through.Gate); err != nil {
		return nil, err
	}
	for _, s := range path {
		if err := segment(s); err != nil {
			return nil, err
		}
		segments = append(segments, url.PathEscape(s))
	}
	response, err := c.send(ctx, method, segments, query, body, func(h http.Header) {
		c.setCookie(h)
		h.Set(headerApplication, through.Application.Namespace+":"+through.Application.Name)
		h.Set(headerProject, through.Application.Project)
		if etag != "" {
			h.Set("If-None-Match", etag)
		}
	}, maxAnswer)
	if err != nil {
		return nil, err
	}
	switch {
	case response.StatusCode == http.StatusNotModified && etag != "":
		return response, nil
	case response.StatusCode < http.StatusMultipleChoices && (isJSON(response) || response.StatusCode == http.StatusAccepted || response.StatusCode == http.StatusNoContent):
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.refusal(ctx, through, response)
}

// SegmentError is a name that cannot stand in a path.
type SegmentError struct{ Name string }

func (e *SegmentError) Error() string {
	return fmt.Sprintf("%q is not a name: it must not be empty, nor hold a slash", e.Name)
}

// segment refuses what would lead a path elsewhere. An escaped slash would be
// decoded on the way, by argocd-server.
func segment(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\") {
		return &SegmentError{Name: name}
	}
	return nil
}

func decode(response *http.Response, answer any) error {
	text, err := read(response)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the proxy's answer cannot be read: %w: are the command line and the proxy of the same version?", err)
	}
	return nil
}
