package receiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// Prefix begins the path of every receiver.
const Prefix = "/webhooks/"

// Path returns the path of the receiver's URL. Where the sender proves nothing
// itself, the path can be told by whoever knows the secret alone.
func (r *Receiver) Path() string {
	if r.sender.unguessable {
		return r.UnguessablePath()
	}
	return Prefix + r.Name
}

// UnguessablePath returns the path that is proof enough, for the kinds that take
// it: Docker Hub, Quay and generic.
func (r *Receiver) UnguessablePath() string { return Prefix + r.Name + "/" + r.token() }

// token is the HMAC of the receiver's name. What is signed begins as no payload
// does, so that no signature of a payload is ever a token.
func (r *Receiver) token() string {
	return hex.EncodeToString(mac(r.secret, []byte("waybill.dev/webhook/"+r.Name)))
}

func mac(secret, of []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(of)
	return h.Sum(nil)
}

// Proof is what is left to check of a call once its body is read.
type Proof struct{ secret, mac []byte }

// Holds tells whether the proof holds for a body.
func (p Proof) Holds(body []byte) bool {
	return p.mac == nil || hmac.Equal(mac(p.secret, body), p.mac)
}

// Proof looks at what a call shows beside its body: its headers, and the token at
// the end of its path, "" where there is none. It is false where the call is not
// the sender's, whatever its body. A header that counts must stand there once.
func (r *Receiver) Proof(h http.Header, token string) (Proof, bool) {
	return r.sender.prove(r, h, token)
}

// same compares secrets in a time that depends on neither.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func inPath(r *Receiver, _ http.Header, token string) (Proof, bool) {
	return Proof{}, token != "" && same(token, r.token())
}

// carries wants the secret itself in a header; in Authorization in any of its
// usual forms.
func carries(header string) func(*Receiver, http.Header, string) (Proof, bool) {
	return func(r *Receiver, h http.Header, token string) (Proof, bool) {
		values := h.Values(header)
		if token != "" || len(values) != 1 {
			return Proof{}, false
		}
		secret := values[0]
		if header == "Authorization" {
			secret = authorized(secret)
		}
		return Proof{}, same(secret, string(r.secret))
	}
}

// authorized returns the secret of an Authorization header: the token of a
// Bearer, the password of Basic, or all of it.
func authorized(value string) string {
	scheme, rest, _ := strings.Cut(value, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return strings.TrimSpace(rest)
	case strings.EqualFold(scheme, "Basic"):
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
		if err != nil {
			return ""
		}
		_, password, _ := strings.Cut(string(plain), ":")
		return password
	}
	return value
}

// signed wants the HMAC-SHA256 of the body in the first of the headers that is
// there, in hexadecimal, with or without "sha256=" before it.
func signed(headers ...string) func(*Receiver, http.Header, string) (Proof, bool) {
	return func(r *Receiver, h http.Header, token string) (Proof, bool) {
		for _, header := range headers {
			values := h.Values(header)
			if len(values) == 0 {
				continue
			}
			if len(values) > 1 || token != "" {
				return Proof{}, false
			}
			sum, err := hex.DecodeString(strings.TrimPrefix(values[0], "sha256="))
			return Proof{r.secret, sum}, err == nil && len(sum) == sha256.Size
		}
		return Proof{}, false
	}
}

// anyProof takes whatever a sender that Waybill does not know can give: the
// unguessable path, else a signature where there is one, else the secret itself.
func anyProof(r *Receiver, h http.Header, token string) (Proof, bool) {
	if token != "" {
		return inPath(r, h, token)
	}
	for _, header := range signatures {
		if len(h.Values(header)) > 0 {
			return signed(header)(r, h, token)
		}
	}
	return carries("Authorization")(r, h, token)
}

// signatures are the headers in which senders put the HMAC-SHA256 of the body:
// the Git hosts', and Artifactory's.
var signatures = []string{"X-Hub-Signature-256", "X-Hub-Signature", "X-JFrog-Event-Auth"}
