package store_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/waybill-cd/waybill/proxy/store"
)

func TestRegistryCredentialsAreThoseOfTheNamedSecretAlone(t *testing.T) {
	pull := func(namespace, name, text string) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeDockerConfigJson,
			Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(text)},
		}
	}
	const entry = `{"auths":{"registry.example.com":{"username":"ci","password":"secret"}}}`
	opaque := pull("shop", "opaque", entry)
	opaque.Type = corev1.SecretTypeOpaque
	live := fake.NewClientBuilder().WithObjects(pull("shop", "pull", entry), opaque, pull("shop", "broken", "secret"), pull("other", "theirs", entry)).Build()
	s := store.New(nil, live, nil, "waybill")

	got, err := s.Registry(t.Context(), "shop", "pull", "registry.example.com", "team/shop")
	if err != nil || got.Username != "ci" || got.Password != "secret" {
		t.Errorf("%+v, error %v", got, err)
	}
	for name, want := range map[string]string{
		"none":   "there is no Secret shop/none: create it, or correct credentials",
		"theirs": "there is no Secret shop/theirs: create it, or correct credentials",
		"opaque": "Secret shop/opaque is of type Opaque: make one of type kubernetes.io/dockerconfigjson (kubectl create secret docker-registry)",
		"broken": "Secret shop/broken holds no Docker configuration: make it anew (kubectl create secret docker-registry)",
	} {
		if got, err := s.Registry(t.Context(), "shop", name, "registry.example.com", "team/shop"); err == nil || err.Error() != want || got.Password != "" {
			t.Errorf("%s: %+v, error %v, want %s", name, got, err, want)
		}
	}
	_, err = s.Registry(t.Context(), "shop", "pull", "elsewhere.example.com", "team/shop")
	if want := "Secret shop/pull holds nothing for elsewhere.example.com: add an entry for it"; err == nil || err.Error() != want || strings.Contains(err.Error(), "secret\"") {
		t.Errorf("another registry: error %v, want %s", err, want)
	}
}
