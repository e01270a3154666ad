package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/promotion"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
)

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := theStack.Kubectl(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// waitEvent waits until an Event tells something: Events are written by and by.
func waitEvent(t *testing.T, tells string) {
	t.Helper()
	eventually(t, "an Event tells of it: "+tells, func() (string, bool) {
		events := kubectl(t, "get", "events", "-n", "waybill")
		return events, strings.Contains(events, tells)
	})
}

func apply(t *testing.T, manifests string) {
	t.Helper()
	if err := theShop.Apply(t.Context(), manifests); err != nil {
		t.Fatal(err)
	}
}

// records returns Waybill's ConfigMaps of a kind, as kubectl shows them.
func records(t *testing.T, kind string) []corev1.ConfigMap {
	t.Helper()
	var list corev1.ConfigMapList
	if err := json.Unmarshal([]byte(kubectl(t, "get", "configmap", "-n", "waybill", "-l", "waybill.dev/kind="+kind, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// liveImage returns the image in an environment's Deployment, and whether all
// of its Pods run it.
func liveImage(t *testing.T, stage string) (image string, ready bool) {
	t.Helper()
	out, err := theStack.Kubectl(t.Context(), nil, "get", "deployment", "shop", "-n", "shop-"+stage, "-o",
		`jsonpath={.spec.template.spec.containers[0].image} {.status.observedGeneration} {.metadata.generation} {.status.updatedReplicas} {.status.readyReplicas} {.spec.replicas}`)
	if err != nil {
		return "none", false
	}
	var seen, generation, updated, readyPods, wanted int
	_, err = fmt.Sscanf(string(out), "%s %d %d %d %d %d", &image, &seen, &generation, &updated, &readyPods, &wanted)
	return image, err == nil && seen == generation && updated == wanted && readyPods == wanted
}

func waitLive(t *testing.T, stage, digest string) {
	t.Helper()
	eventually(t, stage+" runs "+digest, func() (string, bool) {
		image, ready := liveImage(t, stage)
		return fmt.Sprintf("%s (ready: %t); %s", image, ready, stageSummary(t, stage)), ready && strings.HasSuffix(image, "@"+digest)
	})
}

func stageSummary(t *testing.T, stage string) string {
	status, answer := call(t, alice, "waybill", "shop-"+stage, "GET", "/application", nil)
	if status != 200 {
		return string(answer)
	}
	return string(answer[:min(len(answer), 1500)])
}

// waitVerified waits until a stage holds freight of a version, verified.
func waitVerified(t *testing.T, stage, version string) {
	t.Helper()
	eventually(t, version+" is verified in "+stage, func() (string, bool) {
		for _, l := range get[v1.Application](t, "shop-"+stage, "/application").Stage.Current {
			if strings.HasSuffix(l.Summary, ":"+version) && l.VerifiedAt != nil {
				return "", true
			}
		}
		return stageSummary(t, stage), false
	})
}

// waitEnded waits until a promotion is over, and returns it.
func waitEnded(t *testing.T, id string) v1.Promotion {
	t.Helper()
	var p v1.Promotion
	eventually(t, "promotion "+id+" has ended", func() (string, bool) {
		p = get[v1.Promotion](t, "shop-dev", "/pipelines/shop/promotions/"+id)
		return string(p.Phase) + " " + p.Message + " " + p.Waiting, p.Phase.Ended()
	})
	return p
}

// record reads the stored record of a promotion.
func record(t *testing.T, id string) (promotion.Promotion, corev1.ConfigMap) {
	t.Helper()
	var cm corev1.ConfigMap
	if err := json.Unmarshal([]byte(kubectl(t, "get", "configmap", id, "-n", "waybill", "-o", "json")), &cm); err != nil {
		t.Fatal(err)
	}
	var p promotion.Promotion
	if err := yaml.UnmarshalStrict([]byte(cm.Data["promotion.yaml"]), &p); err != nil {
		t.Fatal(err)
	}
	return p, cm
}

// setPipeline replaces text of the shop's pipeline document and waits until it
// is in force.
func setPipeline(t *testing.T, replacements ...string) {
	t.Helper()
	manifest, err := theShop.Manifest("pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(replacements...).Replace(manifest)
	if len(replacements) > 0 && changed == manifest {
		t.Fatalf("the pipeline holds none of %q", replacements)
	}
	apply(t, changed)
	var cm corev1.ConfigMap
	if err := yaml.Unmarshal([]byte(changed), &cm); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the document is taken note of", func() (string, bool) {
		for _, r := range records(t, "accepted") {
			var a struct{ Document, Refused string }
			if err := yaml.Unmarshal([]byte(r.Data["accepted.yaml"]), &a); err != nil {
				t.Fatal(err)
			}
			if a.Document == cm.Data["pipeline.yaml"] || a.Refused != "" {
				return "", true
			}
		}
		return "an older document", false
	})
}
