package store

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/freight"
)

// LabelSecretType marks a Secret in Argo CD's own format
// (argo-cd, docs/operator-manual/declarative-setup.md, Repositories).
const LabelSecretType = "argocd.argoproj.io/secret-type"

const (
	secretRepository = "repository" // for the one repository at url
	secretRepoCreds  = "repo-creds" // for every repository below url
)

// Git returns the user and password for a Git repository: those of the Secret
// in Waybill's namespace whose url is the repository's, else of the longest
// repo-creds url that the repository's begins with, else none.
func (s *Store) Git(ctx context.Context, repoURL string) (user, password string, err error) {
	var list corev1.SecretList
	if err := s.cached.List(ctx, &list, client.InNamespace(s.namespace), client.HasLabels{LabelSecretType}); err != nil {
		return "", "", fmt.Errorf("cannot list the repository Secrets of namespace %s: %w", s.namespace, err)
	}
	repo := freight.GitRepository(repoURL)
	var best *corev1.Secret
	length := -1
	for i := range list.Items {
		secret := &list.Items[i]
		url := freight.GitRepository(string(secret.Data["url"]))
		switch secret.Labels[LabelSecretType] {
		case secretRepository:
			if url == repo {
				return string(secret.Data["username"]), string(secret.Data["password"]), nil
			}
		case secretRepoCreds:
			// A prefix ends where a part of the path does, so that the
			// credentials of /team never go to /team-b.
			if len(url) > length && (url == repo || strings.HasPrefix(repo, strings.TrimRight(url, "/")+"/")) {
				best, length = secret, len(url)
			}
		}
	}
	if best == nil {
		return "", "", nil
	}
	return string(best.Data["username"]), string(best.Data["password"]), nil
}
