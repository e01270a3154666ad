package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// ProblemError is an error that Waybill tells.
type ProblemError struct{ v1.Problem }

func (e *ProblemError) Error() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Title
}

// SessionError tells that Argo CD does not know the token any more.
type SessionError struct {
	Server string
	// Renew tells how to get another.
	Renew string
}

func (e *SessionError) Error() string {
	return fmt.Sprintf("the session at %s has ended: %s", e.Server, e.Renew)
}

// PermissionError tells that Argo CD itself refused the call. It answers alike
// whatever the reason, so the reason is found by asking its policy.
type PermissionError struct {
	User        string
	Gate        string
	Application Application
	// Missing are the lines of policy without which the call cannot pass. It is
	// empty where the policy allows the call, and something else forbids it.
	Missing []string
	// Certain is false where Argo CD would not tell, and Missing lists what may
	// be missing.
	Certain bool
}

func (e *PermissionError) Error() string {
	who := e.User
	if who == "" {
		who = "you"
	}
	if len(e.Missing) == 0 {
		return fmt.Sprintf("Argo CD refuses the call on behalf of Application %s although its policy lets %s through the gate %s: look whether the Application still exists, is still in project %s, and has a destination that this project permits",
			e.Application, who, e.Gate, e.Application.Project)
	}
	sentence := fmt.Sprintf("Argo CD does not let %s through the gate %s on behalf of Application %s: ask its administrator for", who, e.Gate, e.Application)
	if !e.Certain {
		sentence += " whichever is missing of"
	}
	return sentence + " this in argocd-rbac-cm, with a role that " + who + " has: " + strings.Join(e.Missing, " and ")
}

// Elsewhere tells whether another Application may have better luck. What is not
// found counts: it may be the stage that this one names.
func Elsewhere(err error) bool {
	if problem := (*ProblemError)(nil); errors.As(err, &problem) {
		return problem.Type == v1.ProblemNotBound || problem.Type == v1.ProblemNotFound
	}
	permission := (*PermissionError)(nil)
	return errors.As(err, &permission) && len(permission.Missing) == 0
}

// Temporary tells whether the same request may succeed a little later.
func Temporary(err error) bool {
	if problem := (*ProblemError)(nil); errors.As(err, &problem) {
		return problem.Status >= http.StatusInternalServerError || problem.Status == http.StatusTooManyRequests
	}
	unreachable := (*UnreachableError)(nil)
	return errors.As(err, &unreachable)
}

// refusal turns an answer that is no success into an error: the proxy's own
// problem, or what Argo CD means by its few words.
func (c *Client) refusal(ctx context.Context, through Door, response *http.Response) error {
	response.Body = http.MaxBytesReader(nil, response.Body, maxProblem)
	text, err := read(response)
	if err != nil {
		return err
	}
	if problem, ok := ParseProblem(response.StatusCode, response.Header.Get("Content-Type"), text); ok {
		return &ProblemError{Problem: problem}
	}
	words := strings.TrimSpace(string(text))
	switch {
	case response.StatusCode < http.StatusMultipleChoices:
		return errors.New(`Argo CD answers with a page: proxy extensions are not enabled (server.enable.proxy.extension: "true" in argocd-cmd-params-cm, then restart argocd-server)`)
	case response.StatusCode == http.StatusUnauthorized:
		return c.unauthorized(ctx, through)
	case response.StatusCode == http.StatusNotFound && words == "Extension not found":
		return fmt.Errorf("Argo CD has no proxy extension %s: add extension.config.%s to argocd-cm, or correct the gate's name in the pipeline", through.Gate, through.Gate)
	case response.StatusCode == http.StatusBadGateway, response.StatusCode == http.StatusServiceUnavailable, response.StatusCode == http.StatusGatewayTimeout:
		return &UnreachableError{What: "waybill-proxy", Cause: "argocd-server answers " + response.Status + ": see whether the proxy runs (kubectl get pods -n waybill)"}
	case words == "" || len(words) > maxWords:
		words = response.Status
	}
	return &ArgoError{Status: response.StatusCode, Message: words}
}

// maxWords bounds what is quoted of an answer that is no problem document.
const maxWords = 300

func (c *Client) unauthorized(ctx context.Context, through Door) error {
	who, err := c.user(ctx)
	if err != nil {
		return err
	}
	if !who.LoggedIn {
		return &SessionError{Server: c.session.URL.Host, Renew: c.session.Renew}
	}
	app := through.Application
	refused := &PermissionError{User: who.Username, Gate: through.Gate, Application: app, Certain: true}
	for _, need := range []struct{ resource, action, object string }{
		{"extensions", "invoke", through.Gate},
		{"applications", "get", app.Project + "/" + app.Name},
	} {
		allowed, err := c.can(ctx, need.resource, need.action, need.object)
		if err != nil && ctx.Err() != nil {
			return err
		}
		if !allowed {
			refused.Missing = append(refused.Missing, fmt.Sprintf("p, role:<role>, %s, %s, %s, allow", need.resource, need.action, need.object))
		}
		refused.Certain = refused.Certain && err == nil
	}
	return refused
}

// ParseProblem reads a problem document (RFC 9457). ok is false where the answer
// is none.
func ParseProblem(status int, contentType string, text []byte) (problem v1.Problem, ok bool) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != v1.ContentTypeProblem || json.Unmarshal(text, &problem) != nil {
		return v1.Problem{}, false
	}
	// The document's own status is for people who see it without the answer.
	problem.Status = status
	return problem, problem.Detail != "" || problem.Title != ""
}
