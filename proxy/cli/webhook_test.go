package cli

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

func TestANewReceiverIsOneThatTheProxyTakes(t *testing.T) {
	for _, args := range [][]string{
		{"github"}, {"gitlab"}, {"gitea"}, {"dockerhub"}, {"harbor"}, {"quay"},
		{"generic", "--expression", "request.body.image"},
		{"generic", "--recipe", "bitbucket-cloud"},
		{"generic", "--recipe", "nexus"},
	} {
		first := run(t, nil, append([]string{"webhook", "new", "--name", "hub", "--namespace", "wb"}, args...)...)
		again := run(t, nil, append([]string{"webhook", "new"}, args...)...)
		if first.code != ExitOK || first.err != "" {
			t.Fatalf("%v: %+v", args, first)
		}
		var made, other secret
		if err := yaml.UnmarshalStrict([]byte(first.out), &made); err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict([]byte(again.out), &other); err != nil {
			t.Fatal(err)
		}
		if made.Metadata.Name != "hub" || made.Metadata.Namespace != "wb" || other.Metadata.Name != args[0] || other.Metadata.Namespace != "waybill" {
			t.Errorf("%v: %+v, %+v", args, made.Metadata, other.Metadata)
		}
		if a, b := made.StringData[receiver.KeySecret], other.StringData[receiver.KeySecret]; a == b || len(a) != 43 {
			t.Errorf("%v: the secret is not fresh, or not 32 bytes in base64url", args)
		}
		if r, err := receiverOf(made.object()); err != nil || string(r.Kind) != args[0] {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestARecipeTellsWhatToDoAtTheSender(t *testing.T) {
	got := run(t, nil, "webhook", "new", "generic", "--recipe", "nexus")
	for _, want := range []string{"# Sonatype Nexus Repository. It proves nothing itself", "#\n# Administration", "# nexus.example.com:8082 is the address"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it does not say %q:\n%s", want, got.out)
		}
	}
}

func TestAReceiverThatWouldBeRefusedIsNotMade(t *testing.T) {
	for want, args := range map[string][]string{
		`unknown kind "bitbucket": one of dockerhub, generic, gitea`: {"bitbucket"},
		"it has no expression":   {"generic"},
		"is not an expression":   {"generic", "--expression", "request."},
		"for the kind generic":   {"github", "--recipe", "nexus"},
		"exclude each other":     {"generic", "--recipe", "nexus", "--expression", "nil"},
		"there are amazon-ecr":   {"generic", "--recipe", "x"},
		"is not the name of a":   {"github", "--name", "a/b"},
		"an argument is missing": {},
	} {
		got := run(t, nil, append([]string{"webhook", "new"}, args...)...)
		if got.code != ExitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

const receivers = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {name: hub, namespace: waybill, labels: {waybill.dev/webhook: dockerhub}}
  data: {secret: YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg=}
- apiVersion: v1
  kind: Secret
  metadata: {name: waybill-gates, namespace: waybill}
  data: {waybill: YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg=}
- apiVersion: v1
  kind: Secret
  metadata: {name: github, namespace: waybill, labels: {waybill.dev/webhook: github}}
  data: {secret: YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg=}
---
apiVersion: v1
kind: Secret
metadata: {name: ci, labels: {waybill.dev/webhook: generic}}
stringData: {secret: a secret of some length, expression: request.body.image}
`

func TestTheURLsOfReceiversAreTold(t *testing.T) {
	got := runWith(t, t.Context(), nil, receivers, "webhook", "url", "--host", "https://hooks.example.com/waybill/")
	if got.code != ExitOK || got.err != "" || strings.Contains(got.out, "a secret of some length") {
		t.Fatalf("%+v", got)
	}
	golden(t, "webhook-url.txt", got.out)
	got = runWith(t, t.Context(), nil, receivers, "webhook", "url", "--host", "http://127.0.0.1:8082", "-o", "json")
	golden(t, "webhook-url-json.txt", got.out)
}

func TestAURLThatWouldNotWorkIsNotTold(t *testing.T) {
	const host = "https://hooks.example.com"
	for _, c := range []struct{ input, host, want string }{
		{receivers, "", "is not an address"},
		{receivers, "hooks.example.com", "is not an address"},
		{receivers, "https://me:secret@hooks.example.com", "is not an address"},
		{receivers, "http://hooks.example.com", "in plain text"},
		{"kind: Secret", host, "no Secret that is labelled"},
		{"", host, "no Secret that is labelled"},
		{"data: {secret: confidential!}", host, "not of Kubernetes' form"},
		{"kind: Secret\nmetadata: {name: hub, labels: {waybill.dev/webhook: quay}}\nstringData: {secret: confidential}", host, "Secret hub makes no receiver: its secret is shorter"},
	} {
		got := runWith(t, t.Context(), nil, c.input, "webhook", "url", "--host", c.host)
		if got.code == ExitOK || got.out != "" || !strings.Contains(got.err, c.want) || strings.Contains(got.err, "confidential") {
			t.Errorf("%q, %q: %+v", c.input, c.host, got)
		}
	}
}
