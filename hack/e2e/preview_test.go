package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/hack/stack/git"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

// previewed is the preview of a version in prod.
func previewed(t *testing.T, version string) v1.Preview {
	t.Helper()
	var shown v1.Preview
	out := must(t, bob, "preview", "-p", "shop", "--stage", "prod", "--freight", version, "-o", "json")
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if !promotion.IsPreviewDigest(shown.Digest) || len(shown.Applications) != 1 {
		t.Fatalf("the preview is %+v", shown)
	}
	return shown
}

// trackingLabel is what Argo CD's repo-server adds to each manifest after the
// plugin has rendered it (argo-cd, reposerver/repository, GenerateManifests; the
// label is the default of application.resourceTrackingMethod in 2.14). All else
// is the plugin's own, so that without it the digests are comparable.
const trackingLabel = "app.kubernetes.io/instance"

// digestOf is what waybill-plugin digest says of manifests that Argo CD has
// rendered, without the label by which it tracks them.
func digestOf(t *testing.T, manifests []string) string {
	t.Helper()
	var input bytes.Buffer
	for _, text := range manifests {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		metadata := object["metadata"].(map[string]any)
		labels := metadata["labels"].(map[string]any)
		if _, tracked := labels[trackingLabel]; !tracked {
			t.Errorf("Argo CD tracks this one by something else: %s", text)
		}
		if delete(labels, trackingLabel); len(labels) == 0 {
			delete(metadata, "labels") // there were none
		}
		input.WriteString("---\n")
		if err := json.NewEncoder(&input).Encode(object); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), binaries.Plugin, "digest")
	cmd.Stdin = &input
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// pushToMain commits files to the shop's repository.
func pushToMain(t *testing.T, message string, files map[string]string) (commit string) {
	t.Helper()
	commit, err := theStack.Git().Commit(t.Context(), "shop", git.Commit{Message: message, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

// TestAnApprovalHoldsForWhatWasSeen runs after the flow, with its two versions.
// Two approvals are wanted, so that there is a time between the bound one and the
// start.
func TestAnApprovalHoldsForWhatWasSeen(t *testing.T) {
	setPipeline(t, "required: 1", "required: 2")
	defer setPipeline(t)

	t.Run("a push that changes nothing of it is harmless", func(t *testing.T) {
		id := ask(t, alice, "promote", "-p", "shop", "--stage", "prod", "--freight", "v1.1.0")
		seen := previewed(t, "v1.1.0")
		must(t, bob, "approve", id, "--preview", seen.Digest)
		head := pushToMain(t, "Say more", map[string]string{"README.md": "# The shop\n\nMore of it.\n"})
		must(t, admin, "approve", id, "--wait")
		p, _ := record(t, id)
		if len(p.Approvals) != 2 || p.Approvals[0].Preview != seen.Digest || p.Approvals[0].Outdated != "" {
			t.Errorf("approvals: %+v", p.Approvals)
		}
		if len(p.Rendered) != 1 || p.Rendered[0].Digest != seen.Applications[0].Digest || p.Rendered[0].Commit != head {
			t.Errorf("rendered: %+v, seen %s, main is at %s", p.Rendered, seen.Applications[0].Digest, head)
		}
	})

	t.Run("after a push that changes it, the approval counts no longer", func(t *testing.T) {
		const overlay = "deploy/prod/kustomization.yaml"
		before, err := theStack.Git().File(t.Context(), "shop", "main", overlay)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { pushToMain(t, "Take it back", map[string]string{overlay: before}) }()
		branch, err := theStack.Git().Head(t.Context(), "shop", "env/prod")
		if err != nil {
			t.Fatal(err)
		}
		id := ask(t, alice, "promote", "-p", "shop", "--stage", "prod", "--freight", "v1.0.0")
		seen := previewed(t, "v1.0.0")
		must(t, bob, "approve", id, "--preview", seen.Digest)
		pushToMain(t, "Four replicas in prod", map[string]string{overlay: strings.Replace(before, "count: 3", "count: 4", 1)})
		must(t, admin, "approve", id)

		const why = "what would be rendered has changed since: look at the preview again"
		var p v1.Promotion
		eventually(t, "bob's approval counts no longer", func() (string, bool) {
			p = get[v1.Promotion](t, "shop-prod", "/pipelines/shop/promotions/"+id)
			return string(p.Phase) + " " + p.Message, len(p.Approvals) == 2 && p.Approvals[0].Outdated != ""
		})
		if p.Phase != promotion.Pending || p.Approvals[0].Outdated != why || !strings.HasPrefix(p.Waiting, "approval 1 of 2") {
			t.Errorf("%s, waiting %q, approvals %+v", p.Phase, p.Waiting, p.Approvals)
		}
		waitEvent(t, "approvals of promotion "+id+" to prod count no longer: "+why)
		if now, err := theStack.Git().Head(t.Context(), "shop", "env/prod"); err != nil || now != branch {
			t.Errorf("env/prod moved from %s to %s, %v", branch, now, err)
		}

		out, code := cli(t, bob, "approve", id, "--preview", seen.Digest)
		if code != 3 || !strings.Contains(out, "what promotion "+id+" would render has changed since that preview") {
			t.Errorf("%d: %s", code, out)
		}
		again := previewed(t, "v1.0.0")
		if again.Digest == seen.Digest || len(again.Applications[0].Changed) == 0 || !strings.Contains(again.Applications[0].Changed[0].Diff, "+  replicas: 4") {
			t.Errorf("the preview does not show the push: %+v", again)
		}
		must(t, bob, "approve", id, "--preview", again.Digest, "--wait")
		ended, _ := record(t, id)
		if promotion.PreviewDigest(ended.Rendered) != again.Digest || len(ended.ApprovedBy()) != 2 {
			t.Errorf("the record: %+v", ended)
		}
	})
}

// TestWhatLiesBetweenTwoVersions runs after the flow, with its two versions.
func TestWhatLiesBetweenTwoVersions(t *testing.T) {
	between := get[v1.Comparison](t, "shop-prod", "/pipelines/shop/freight/compare?from=v1.0.0&to=v1.1.0")
	if between.Backwards || between.More || len(between.Between) != 0 || len(between.Artifacts) != 1 {
		t.Fatalf("%+v", between)
	}
	a := between.Artifacts[0]
	if a.Kind != "image" || !a.Changed || a.From.Name != "v1.0.0" || a.To.Name != "v1.1.0" || a.From.ID == a.To.ID {
		t.Errorf("%+v", a)
	}
	change := func(a, b *freight.Version) string {
		short := func(v *freight.Version) string {
			return v.Name + " (" + freight.Short(strings.TrimPrefix(v.ID, "sha256:")) + ")"
		}
		return "image " + theShop.Image + ": " + short(a) + " -> " + short(b) + "\n"
	}
	older, newer := between.From.Alias+" shop:v1.0.0", between.To.Alias+" shop:v1.1.0"
	if out := must(t, alice, "compare", "v1.0.0", "v1.1.0", "-p", "shop"); out != older+" -> "+newer+"\n\n"+change(a.From, a.To) {
		t.Error(out)
	}
	if out := must(t, alice, "compare", "v1.1.0", "v1.0.0", "-p", "shop"); out != newer+" -> "+older+", which is the older one\n\n"+change(a.To, a.From) {
		t.Error(out)
	}
	out, code := cli(t, alice, "compare", "v1.0.0", "v9.9.9", "-p", "shop")
	if code == 0 || !strings.Contains(out, "v9.9.9") {
		t.Errorf("%d: %s", code, out)
	}
}
