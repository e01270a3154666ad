package client

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// StageAnnotation binds an Application to a stage.
const StageAnnotation = "waybill.dev/stage"

// Application is one of Argo CD's, on whose behalf a call can be made.
type Application struct {
	Namespace string
	Name      string
	Project   string
	// Stage is the one that its annotation names; the zero value where there is
	// no annotation, or none that names a stage.
	Stage pipeline.StageName
}

// String returns namespace/name.
func (a Application) String() string { return a.Namespace + "/" + a.Name }

// Bound tells whether the Application names a stage.
func (a Application) Bound() bool { return a.Stage.Stage != "" }

type wireApplication struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Project string `json:"project"`
	} `json:"spec"`
}

func (w wireApplication) application() Application {
	a := Application{Namespace: w.Metadata.Namespace, Name: w.Metadata.Name, Project: w.Spec.Project}
	if a.Project == "" {
		a.Project = "default"
	}
	if stage, err := pipeline.ParseStageName(w.Metadata.Annotations[StageAnnotation]); err == nil {
		a.Stage = stage
	}
	return a
}

// Applications lists the Applications that the user may read and that name a
// stage, sorted by namespace and name.
func (c *Client) Applications(ctx context.Context) ([]Application, error) {
	// Argo CD narrows a list to fields of this very spelling.
	query := url.Values{"fields": {"items.metadata.name,items.metadata.namespace,items.metadata.annotations,items.spec"}}
	response, err := c.argocd(ctx, []string{"api/v1/applications"}, query, maxApplications)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var list struct {
		Items []wireApplication `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("the list of Applications cannot be read: %w", bodyError(err))
	}
	var bound []Application
	for _, item := range list.Items {
		if a := item.application(); a.Bound() {
			bound = append(bound, a)
		}
	}
	slices.SortFunc(bound, func(a, b Application) int { return strings.Compare(a.String(), b.String()) })
	return bound, nil
}

// Application reads one Application. An empty namespace is Argo CD's own.
func (c *Client) Application(ctx context.Context, namespace, name string) (Application, error) {
	query := url.Values{}
	if namespace != "" {
		query.Set("appNamespace", namespace)
	}
	if err := segment(name); err != nil {
		return Application{}, err
	}
	response, err := c.argocd(ctx, []string{"api/v1/applications", url.PathEscape(name)}, query, maxAnswer)
	if err != nil {
		return Application{}, err
	}
	defer response.Body.Close()
	var item wireApplication
	if err := json.NewDecoder(response.Body).Decode(&item); err != nil {
		return Application{}, fmt.Errorf("Application %s cannot be read: %w", name, bodyError(err))
	}
	return item.application(), nil
}

// user is who Argo CD takes the caller for.
type user struct {
	LoggedIn bool   `json:"loggedIn"`
	Username string `json:"username"`
}

func (c *Client) user(ctx context.Context) (user, error) {
	var u user
	err := c.ask(ctx, &u, "api/v1/session/userinfo")
	return u, err
}

// ServerVersion returns the version of Argo CD, as argocd-server says it.
func (c *Client) ServerVersion(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"Version"`
	}
	err := c.ask(ctx, &answer, "api/version")
	return answer.Version, err
}

// can asks Argo CD's policy about the caller.
func (c *Client) can(ctx context.Context, resource, action, object string) (bool, error) {
	var answer struct {
		Value string `json:"value"`
	}
	path := []string{"api/v1/account/can-i", resource, action}
	for _, part := range strings.Split(object, "/") {
		path = append(path, url.PathEscape(part))
	}
	err := c.ask(ctx, &answer, path...)
	return answer.Value == "yes", err
}

func (c *Client) ask(ctx context.Context, answer any, path ...string) error {
	response, err := c.argocd(ctx, path, nil, maxAnswer)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("argocd-server's answer cannot be read: %w", bodyError(err))
	}
	return nil
}

// argocd reads from Argo CD's own API. Its errors are sentences.
func (c *Client) argocd(ctx context.Context, path []string, query url.Values, limit int64) (*http.Response, error) {
	response, err := c.send(ctx, http.MethodGet, path, query, nil, func(h http.Header) {
		// A header of the user's is for what stands in front of Argo CD, which
		// then finds the token in the cookie.
		if h.Get("Authorization") == "" {
			h.Set("Authorization", "Bearer "+string(c.session.Token))
		} else {
			c.setCookie(h)
		}
	}, limit)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK && isJSON(response) {
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.argocdError(response)
}

func (c *Client) argocdError(response *http.Response) error {
	host := c.session.URL.Host
	switch response.StatusCode {
	case http.StatusOK:
		return fmt.Errorf("%s answers with a page instead of Argo CD's API: correct --server or --grpc-web-root-path", host)
	case http.StatusUnauthorized:
		return &SessionError{Server: host, Renew: c.session.Renew}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &UnreachableError{What: "argocd-server at " + host, Cause: "what stands in front of it answers " + response.Status}
	}
	var wire struct {
		Message string `json:"message"`
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxProblem)
	text, err := read(response)
	if err != nil || json.Unmarshal(text, &wire) != nil || wire.Message == "" {
		wire.Message = response.Status
	}
	return &ArgoError{Status: response.StatusCode, Message: wire.Message}
}

// ArgoError is an error of Argo CD's own API.
type ArgoError struct {
	Status  int
	Message string
}

func (e *ArgoError) Error() string { return "Argo CD answers: " + e.Message }

func (c *Client) setCookie(h http.Header) {
	cookie := "argocd.token=" + string(c.session.Token)
	if theirs := h.Get("Cookie"); theirs != "" {
		cookie = theirs + "; " + cookie
	}
	h.Set("Cookie", cookie)
}

func isJSON(response *http.Response) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}
