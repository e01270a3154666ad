package store

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/proxy/store/credential"
)

// Registry returns what a Secret of type kubernetes.io/dockerconfigjson holds for
// an image repository, given as its registry and the path there. It is read from
// the API server each time: such Secrets are not watched, so that the proxy holds
// none in memory, and a changed one counts at once. An error is a sentence that
// names the Secret.
func (s *Store) Registry(ctx context.Context, namespace, name, host, path string) (authn.AuthConfig, error) {
	var secret corev1.Secret
	err := s.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	which := "Secret " + namespace + "/" + name
	switch {
	case apierrors.IsNotFound(err):
		return authn.AuthConfig{}, fmt.Errorf("there is no %s: create it, or correct credentials", which)
	case apierrors.IsForbidden(err):
		return authn.AuthConfig{}, fmt.Errorf("%s may not be read: let the proxy's ServiceAccount get Secrets of that namespace", which)
	case err != nil:
		return authn.AuthConfig{}, fmt.Errorf("%s cannot be read: %w", which, err)
	case secret.Type != corev1.SecretTypeDockerConfigJson:
		return authn.AuthConfig{}, fmt.Errorf("%s is of type %s: make one of type %s (kubectl create secret docker-registry)", which, secret.Type, corev1.SecretTypeDockerConfigJson)
	}
	found, ok, err := credential.Docker(secret.Data[corev1.DockerConfigJsonKey], host, path)
	if err != nil {
		return authn.AuthConfig{}, fmt.Errorf("%s holds no Docker configuration: make it anew (kubectl create secret docker-registry)", which)
	}
	if !ok {
		return authn.AuthConfig{}, fmt.Errorf("%s holds nothing for %s: add an entry for it", which, host)
	}
	return found, nil
}
