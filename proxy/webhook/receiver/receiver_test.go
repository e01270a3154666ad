package receiver

import (
	"crypto/hmac"
	"crypto/sha1" // what must not count
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

func TestASecretThatIsNoReceiverIsRefusedWithItsRemedy(t *testing.T) {
	t.Parallel()
	good := []byte(secret)
	for name, c := range map[string]struct {
		kind string
		data map[string][]byte
		want string
	}{
		"an unknown kind":           {"bitbucket", map[string][]byte{"secret": good}, "make it one of dockerhub, generic, gitea, github, gitlab, harbor, quay"},
		"no kind":                   {"", map[string][]byte{"secret": good}, "make it one of"},
		"no secret":                 {"github", nil, "it has no secret"},
		"a secret of spaces":        {"github", map[string][]byte{"secret": []byte(strings.Repeat(" ", 20))}, "it has no secret"},
		"a short secret":            {"github", map[string][]byte{"secret": []byte("fifteen bytes!!")}, "shorter than 16 bytes"},
		"a short secret, and space": {"github", map[string][]byte{"secret": []byte("fifteen bytes!!\n")}, "shorter than 16 bytes"},
		"a long one":                {"github", map[string][]byte{"secret": make([]byte, 5000)}, "longer than 4096 bytes"},
		"no expression":             {"generic", map[string][]byte{"secret": good}, "it has no expression"},
		"a broken expression":       {"generic", map[string][]byte{"secret": good, "expression": []byte("request.")}, "is not an expression"},
		"an expression too many":    {"github", map[string][]byte{"secret": good, "expression": []byte("nil")}, "for the kind generic alone"},
	} {
		_, err := New("hub", c.kind, c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "fifteen") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New("hub", "github", map[string][]byte{"secret": []byte("sixteen bytes!!!\n")}); err != nil {
		t.Errorf("a secret of 16 bytes: %v", err)
	}
}

func sign(body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	return hex.EncodeToString(h.Sum(nil))
}

func TestACallCountsOnlyWithItsProof(t *testing.T) {
	t.Parallel()
	const body = `{"ref": "refs/heads/main"}`
	weak := hmac.New(sha1.New, []byte(secret))
	weak.Write([]byte(body))
	sha1 := "sha1=" + hex.EncodeToString(weak.Sum(nil))
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("waybill:"+secret))
	for _, c := range []struct {
		what   string
		kind   Kind
		header http.Header
		token  string
		want   bool
	}{
		{"signed", GitHub, headers("X-Hub-Signature-256", "sha256="+sign(body)), "", true},
		{"in capitals", GitHub, headers("X-Hub-Signature-256", "sha256="+strings.ToUpper(sign(body))), "", true},
		{"not signed", GitHub, nil, "", false},
		{"signed for another body", GitHub, headers("X-Hub-Signature-256", "sha256="+sign(body+" ")), "", false},
		{"an empty signature", GitHub, headers("X-Hub-Signature-256", ""), "", false},
		{"a short signature", GitHub, headers("X-Hub-Signature-256", "sha256="+sign(body)[:62]), "", false},
		{"no hexadecimal", GitHub, headers("X-Hub-Signature-256", "sha256="+strings.Repeat("z", 64)), "", false},
		{"the weak signature alone", GitHub, headers("X-Hub-Signature", sha1), "", false},
		{"the weak one as if it were strong", GitHub, headers("X-Hub-Signature-256", sha1), "", false},
		{"signed twice", GitHub, headers("X-Hub-Signature-256", "sha256="+sign(body), "X-Hub-Signature-256", "sha256="+sign(body)), "", false},
		{"another's header", GitHub, headers("X-Gitea-Signature", sign(body)), "", false},
		{"the token in its place", GitHub, nil, "TOKEN", false},
		{"signed, with a token", GitHub, headers("X-Hub-Signature-256", "sha256="+sign(body)), "TOKEN", false},
		{"Gitea", Gitea, headers("X-Gitea-Signature", sign(body)), "", true},
		{"Forgejo", Gitea, headers("X-Forgejo-Signature", sign(body), "X-Gitea-Signature", sign(body)), "", true},
		{"Forgejo, wrongly", Gitea, headers("X-Forgejo-Signature", sign(""), "X-Gitea-Signature", sign(body)), "", false},
		{"Gitea, twice", Gitea, headers("X-Gitea-Signature", sign(body), "X-Gitea-Signature", sign(body)), "", false},
		{"GitLab", GitLab, headers("X-Gitlab-Token", secret), "", true},
		{"GitLab, wrong", GitLab, headers("X-Gitlab-Token", secret+"x"), "", false},
		{"GitLab, empty", GitLab, headers("X-Gitlab-Token", ""), "", false},
		{"GitLab, without", GitLab, nil, "", false},
		{"GitLab, twice", GitLab, headers("X-Gitlab-Token", secret, "X-Gitlab-Token", secret), "", false},
		{"GitLab, as a Bearer", GitLab, headers("X-Gitlab-Token", "Bearer "+secret), "", false},
		{"Harbor", Harbor, headers("Authorization", secret), "", true},
		{"Harbor, as a Bearer", Harbor, headers("Authorization", "Bearer "+secret), "", true},
		{"Harbor, wrong", Harbor, headers("Authorization", "Bearer x"), "", false},
		{"Harbor, twice", Harbor, headers("Authorization", secret, "Authorization", secret), "", false},
		{"Docker Hub", DockerHub, nil, "TOKEN", true},
		{"Docker Hub, wrong", DockerHub, nil, sign("hub"), false},
		{"Docker Hub, without", DockerHub, nil, "", false},
		{"Docker Hub, signed", DockerHub, headers("X-Hub-Signature-256", sign(body)), "", false},
		{"Docker Hub, with the secret", DockerHub, headers("Authorization", secret), secret, false},
		{"Quay", Quay, nil, "TOKEN", true},
		{"Quay, wrong", Quay, nil, "x", false},
		{"generic, by its path", Generic, nil, "TOKEN", true},
		{"generic, by a wrong path", Generic, headers("Authorization", secret), "x", false},
		{"generic, signed", Generic, headers("X-Hub-Signature", "sha256="+sign(body)), "", true},
		{"generic, signed as GitHub", Generic, headers("X-Hub-Signature", sha1, "X-Hub-Signature-256", "sha256="+sign(body)), "", true},
		{"generic, signed as Artifactory", Generic, headers("X-JFrog-Event-Auth", sign(body)), "", true},
		{"generic, wrongly signed", Generic, headers("X-Hub-Signature", sign(""), "Authorization", secret), "", false},
		{"generic, weakly signed", Generic, headers("X-Hub-Signature", sha1), "", false},
		{"generic, an empty signature", Generic, headers("X-Hub-Signature", ""), "", false},
		{"generic, by a Bearer", Generic, headers("Authorization", "bearer "+secret), "", true},
		{"generic, by a password", Generic, headers("Authorization", basic), "", true},
		{"generic, by a broken password", Generic, headers("Authorization", "Basic !"), "", false},
		{"generic, without", Generic, nil, "", false},
	} {
		r := receiverOf(t, c.kind, "nil")
		token := c.token
		if token == "TOKEN" {
			token = strings.TrimPrefix(r.UnguessablePath(), "/webhooks/hub/")
		}
		proof, ok := r.Proof(c.header, token)
		if got := ok && proof.Holds([]byte(body)); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func TestAPathIsUnguessableWhereTheSenderProvesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		r := receiverOf(t, kind, "nil")
		bare := r.Path() == "/webhooks/hub"
		if want := kind != DockerHub && kind != Quay; bare != want {
			t.Errorf("%s: %s", kind, r.Path())
		}
	}
	other, err := New("hub2", "quay", map[string][]byte{KeySecret: []byte(secret)})
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := New("hub", "quay", map[string][]byte{KeySecret: []byte("another secret of some length")})
	if err != nil {
		t.Fatal(err)
	}
	token := receiverOf(t, Quay, "").token()
	if token == other.token() || token == rotated.token() || len(token) != 64 {
		t.Error("the token does not depend on all that it should")
	}
}
