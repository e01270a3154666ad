package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/hack/bundle"
)

// A container whose user is not the image's could not write where it has to.
func TestTheManifestsRunEachImageAsItsUser(t *testing.T) {
	want := map[string]int64{}
	for _, p := range products() {
		want["ghcr.io/waybill-cd/"+p.Name+":unreleased"] = int64(p.User)
	}
	got := map[string]int64{}
	for _, build := range []func(string, bundle.Options) ([]byte, error){bundle.Waybill, bundle.ArgoCD} {
		manifests, err := build("../..", bundle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(manifests), "\n---\n") {
			var d appsv1.Deployment
			if err := yaml.Unmarshal([]byte(document), &d); err != nil || d.Kind != "Deployment" {
				continue
			}
			pod := d.Spec.Template.Spec
			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				if c.Image == "" {
					continue // a container of Argo CD's own, which gets a mount
				}
				user := c.SecurityContext.RunAsUser
				if user == nil && pod.SecurityContext != nil {
					user = pod.SecurityContext.RunAsUser
				}
				if user == nil {
					t.Errorf("%s runs as any user", c.Name)
					continue
				}
				got[c.Image] = *user
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users by image (-want +got):\n%s", diff)
	}
}
