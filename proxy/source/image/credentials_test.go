package image_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/waybill-cd/waybill/hack/stack/registry"
	"github.com/waybill-cd/waybill/proxy/source/image"
	registries "github.com/waybill-cd/waybill/proxy/source/registry"
)

// secrets are Secrets of one namespace, by their names.
type secrets map[string]authn.AuthConfig

func (s secrets) Registry(_ context.Context, namespace, name, _, _ string) (authn.AuthConfig, error) {
	if found, ok := s[name]; ok && namespace == "waybill" {
		return found, nil
	}
	return authn.AuthConfig{}, errors.New("there is no Secret " + namespace + "/" + name)
}

func TestAPrivateRepositoryIsReadWithItsSecret(t *testing.T) {
	server, digests := serve(t, registry.Config{User: "ci", Password: "hidden"}, "v1.0.0")
	credentials := secrets{"pull": {Username: "ci", Password: "hidden"}, "old": {Username: "ci", Password: "past"}}
	source, sub := newSource(t, image.Options{Credentials: credentials}), subscription(server)
	sub.Credentials = "pull"
	if got := discover(t, source, sub); got.Digest != digests["v1.0.0"] {
		t.Errorf("image %v", got)
	}

	// What it has read helps nobody else.
	for secret, told := range map[string]string{
		"":     "asks for credentials for " + sub.RepoURL + ", or hides that it does not exist: check repoURL, or set credentials to the name of a Secret of type kubernetes.io/dockerconfigjson",
		"old":  "with the credentials of Secret waybill/old",
		"none": "the credentials for " + sub.RepoURL + " cannot be used: there is no Secret waybill/none",
	} {
		sub.Credentials = secret
		got, err := look(t.Context(), source, sub)
		if !errors.Is(err, registries.ErrUnauthorized) || !strings.Contains(err.Error(), told) {
			t.Errorf("with the Secret %q: %v, error %v, want %v that tells %q", secret, got, err, registries.ErrUnauthorized, told)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "past")) {
			t.Errorf("the error tells what is secret: %v", err)
		}
	}
	credentials["pull"] = authn.AuthConfig{Username: "ci", Password: "changed"}
	sub.Credentials = "pull"
	if got, err := look(t.Context(), source, sub); !errors.Is(err, registries.ErrUnauthorized) {
		t.Errorf("with a Secret that was changed: %v, error %v, want %v", got, err, registries.ErrUnauthorized)
	}
}
