package receiver

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// fuzzPayloads checks that no payload of a kind makes the proxy panic, neither
// when it is read nor when it is matched with subscriptions, and that what is read
// of it is bounded.
func fuzzPayloads(f *testing.F, kind Kind, folder string, expressions ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("there are no payloads of %s: %v", kind, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		event := strings.TrimSuffix(filepath.Base(file), ".json")
		f.Add(event, body)
	}
	var receivers []*Receiver
	for _, text := range append(expressions, "request.body") {
		receivers = append(receivers, receiverOf(f, kind, text))
	}
	subscriptions := []pipeline.Subscription{
		{Git: &pipeline.GitSubscription{RepoURL: "https://git.example.com/team/shop.git", IncludePaths: []string{"deploy"}}},
		{Git: &pipeline.GitSubscription{RepoURL: "https://github.com/example/shop", CommitSelectionStrategy: pipeline.StrategySemVer}},
		{Image: &pipeline.ImageSubscription{RepoURL: "docker.io/example/shop"}},
		{Chart: &pipeline.ChartSubscription{RepoURL: "oci://harbor.example.com/team/shop"}},
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		h := http.Header{"X-Github-Event": {event}, "X-Gitea-Event": {event}, "X-Event-Key": {event}}
		for _, r := range receivers {
			pushes, err := r.Pushes(h, body)
			if err != nil && pushes != nil {
				t.Errorf("an error, and pushes: %v", err)
			}
			if len(pushes) > maxImages {
				t.Errorf("%d pushes", len(pushes))
			}
			for _, push := range pushes {
				for _, s := range subscriptions {
					push.Concerns(s)
				}
			}
		}
	})
}

func FuzzGitHub(f *testing.F)    { fuzzPayloads(f, GitHub, "github") }
func FuzzGitLab(f *testing.F)    { fuzzPayloads(f, GitLab, "gitlab") }
func FuzzGitea(f *testing.F)     { fuzzPayloads(f, Gitea, "gitea") }
func FuzzDockerHub(f *testing.F) { fuzzPayloads(f, DockerHub, "dockerhub") }
func FuzzHarbor(f *testing.F)    { fuzzPayloads(f, Harbor, "harbor") }
func FuzzQuay(f *testing.F)      { fuzzPayloads(f, Quay, "quay") }

func FuzzGeneric(f *testing.F) {
	recipes, err := Recipes()
	if err != nil {
		f.Fatal(err)
	}
	var expressions []string
	for _, r := range recipes {
		expressions = append(expressions, r.Expression)
	}
	fuzzPayloads(f, Generic, "recipes", expressions...)
}

func FuzzProof(f *testing.F) {
	f.Add("sha256="+sign("x"), "Bearer x", "token", []byte("x"))
	f.Add("", "Basic eDp5", "", []byte(nil))
	f.Fuzz(func(t *testing.T, signature, authorization, token string, body []byte) {
		h := http.Header{"X-Hub-Signature-256": {signature}, "X-Gitea-Signature": {signature}, "Authorization": {authorization}, "X-Gitlab-Token": {authorization}}
		for _, kind := range Kinds() {
			r := receiverOf(t, kind, "nil")
			proof, ok := r.Proof(h, token)
			if !ok || !proof.Holds(body) {
				continue
			}
			// The fuzzer knows the secret by the seeds alone.
			shown := signature + authorization + token
			if !strings.Contains(strings.ToLower(shown), sign(string(body))) && !strings.Contains(shown, secret) && !strings.Contains(shown, r.token()) {
				t.Errorf("%s takes %q, %q, %q", kind, signature, authorization, token)
			}
		}
	})
}
