// Package receiver knows the senders of webhooks: how each proves that a call is
// its own, and what its payloads say was pushed. It is pure: a call is given to
// it, and all that comes out is what was pushed.
//
// Payloads are outside input, of whoever may push or holds the secret. Nothing of
// one is called, stored or logged.
package receiver

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/selection"
)

// Label marks a Secret in Waybill's namespace as a receiver. Its value is the
// [Kind] of the sender.
const Label = "waybill.dev/webhook"

// The keys of such a Secret.
const (
	// KeySecret holds what the sender proves to know.
	KeySecret = "secret"
	// KeyExpression holds the expression of a [Generic] receiver, see
	// expression.CompileRepositories.
	KeyExpression = "expression"
)

// The length of a secret, in bytes: shorter ones can be guessed, and longer ones
// are no secrets.
const (
	MinSecret = 16
	MaxSecret = 4 << 10
)

// Kind is a kind of sender.
type Kind string

// The kinds.
const (
	GitHub    Kind = "github"
	GitLab    Kind = "gitlab"
	Gitea     Kind = "gitea" // Forgejo too
	DockerHub Kind = "dockerhub"
	Harbor    Kind = "harbor"
	Quay      Kind = "quay"
	Generic   Kind = "generic"
)

// sender is what is known of a kind.
type sender struct {
	// prove looks at what a call shows beside its body, see [Receiver.Proof].
	prove func(r *Receiver, h http.Header, token string) (Proof, bool)
	// read reads a payload; it gives nothing for an event that is no push.
	read func(h http.Header, body []byte) ([]selection.Push, error)
	// unguessable tells that the sender can prove nothing, so that its URL has to.
	unguessable bool
}

var senders = map[Kind]sender{
	GitHub:    {prove: signed("X-Hub-Signature-256"), read: readGitHub},
	GitLab:    {prove: carries("X-Gitlab-Token"), read: readGitLab},
	Gitea:     {prove: signed("X-Forgejo-Signature", "X-Gitea-Signature"), read: readGitea},
	DockerHub: {prove: inPath, read: readDockerHub, unguessable: true},
	Harbor:    {prove: carries("Authorization"), read: readHarbor},
	Quay:      {prove: inPath, read: readQuay, unguessable: true},
	Generic:   {prove: anyProof},
}

// Kinds returns all kinds, sorted.
func Kinds() []Kind { return slices.Sorted(maps.Keys(senders)) }

// Receiver receives the webhooks of one sender. It may be used by several
// goroutines at a time.
type Receiver struct {
	Name string
	Kind Kind

	secret       []byte
	sender       sender
	repositories expression.Repositories
}

// New makes a receiver of a Secret: its name, the value of its [Label], its data.
// An error tells in a sentence what is wrong with the Secret, without its
// content.
func New(name, kind string, data map[string][]byte) (*Receiver, error) {
	r := &Receiver{Name: name, Kind: Kind(kind), secret: trimmed(data[KeySecret])}
	var known bool
	if r.sender, known = senders[r.Kind]; !known {
		return nil, fmt.Errorf("the label %s is %q: make it one of %s", Label, kind, join(Kinds()))
	}
	switch n := len(r.secret); {
	case n == 0:
		return nil, fmt.Errorf("it has no %s: make one with `argocd-waybill webhook new`", KeySecret)
	case n < MinSecret:
		return nil, fmt.Errorf("its %s is shorter than %d bytes, and can be guessed: make one with `argocd-waybill webhook new`", KeySecret, MinSecret)
	case n > MaxSecret:
		return nil, fmt.Errorf("its %s is longer than %d bytes: make one with `argocd-waybill webhook new`", KeySecret, MaxSecret)
	}
	text, has := data[KeyExpression]
	switch {
	case has && r.Kind != Generic:
		return nil, fmt.Errorf("it has an %s, which is for the kind %s alone: remove it", KeyExpression, Generic)
	case !has && r.Kind == Generic:
		return nil, fmt.Errorf("it has no %s: give one that tells the repositories of a payload", KeyExpression)
	case has:
		var err error
		if r.repositories, err = expression.CompileRepositories(string(text)); err != nil {
			return nil, fmt.Errorf("its %s %w", KeyExpression, err)
		}
	}
	return r, nil
}

// trimmed is a secret without the space around it that files and editors leave.
func trimmed(secret []byte) []byte { return []byte(strings.TrimSpace(string(secret))) }

func join(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// errPayload is the error of a payload that is not of the sender's documented
// form. It tells nothing of its content.
var errPayload = errors.New("the payload is not of the form that this kind of sender documents")

// Pushes returns what a payload says was pushed: nothing where it is about
// something else. The call must have been proven. The error is for the sender
// alone: it may tell of the payload's content.
func (r *Receiver) Pushes(h http.Header, body []byte) ([]selection.Push, error) {
	if r.Kind == Generic {
		return readGeneric(r.repositories, h, body)
	}
	return r.sender.read(h, body)
}
