package store

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/store/credential"
)

// LabelSecretType marks a Secret in Argo CD's own format.
const LabelSecretType = credential.LabelType

// Git returns the user and password for a Git repository: those of the Secret
// in Waybill's namespace whose url is the repository's, else of the longest
// repo-creds url that the repository's begins with, else none. As in Argo CD, a
// repository's own Secret that holds neither user nor password is passed over.
// Of two Secrets that say the same, the first by name counts.
func (s *Store) Git(ctx context.Context, repoURL string) (user, password string, err error) {
	_, user, password, err = s.nearest(ctx, freight.GitRepository(repoURL), credential.Nearness)
	return user, password, err
}

// Chart is Git for a chart repository, https://… or oci://…, with a Secret of the
// type helm, whose name it returns too. A pipeline of another namespace than
// Waybill's gets none.
func (s *Store) Chart(ctx context.Context, namespace, repoURL string) (secret, user, password string, err error) {
	if namespace != s.namespace {
		return "", "", "", nil
	}
	return s.nearest(ctx, freight.ChartRepository(repoURL), credential.NearnessOfChart)
}

// nearest returns what the Secret holds that fits a repository best.
func (s *Store) nearest(ctx context.Context, repo string, nearness func(credential.Secret, string) int) (name, user, password string, err error) {
	var list corev1.SecretList
	if err := s.cached.List(ctx, &list, client.InNamespace(s.namespace), client.HasLabels{LabelSecretType}); err != nil {
		return "", "", "", fmt.Errorf("cannot list the repository Secrets of namespace %s: %w", s.namespace, err)
	}
	var best *corev1.Secret
	closest := 0
	for i := range list.Items {
		secret := &list.Items[i]
		near := nearness(described(secret), repo)
		if near > closest || near > 0 && near == closest && secret.Name < best.Name {
			best, closest = secret, near
		}
	}
	if best == nil {
		return "", "", "", nil
	}
	return best.Name, string(best.Data["username"]), string(best.Data["password"]), nil
}

// GitOf returns those for a repository that the pipelines of a namespace subscribe
// to: what [Store.Git] does for Waybill's own namespace, whose Secrets are for its
// pipelines alone, and none for another.
func (s *Store) GitOf(ctx context.Context, namespace, repoURL string) (user, password string, err error) {
	if namespace != s.namespace {
		return "", "", nil
	}
	return s.Git(ctx, repoURL)
}

// described is a Secret without what is secret.
func described(secret *corev1.Secret) credential.Secret {
	return credential.Secret{
		Type: secret.Labels[LabelSecretType], URL: string(secret.Data["url"]), Kind: string(secret.Data["type"]),
		OCI:      string(secret.Data["enableOCI"]) == "true",
		Complete: len(secret.Data["username"])+len(secret.Data["password"]) > 0,
	}
}
