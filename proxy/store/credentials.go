package store

import (
	"context"
	"fmt"
	"math"
	"net/url"
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
// repo-creds url that the repository's begins with, else none. As in Argo CD, a
// repository's own Secret that holds neither user nor password is passed over.
// Of two Secrets that say the same, the first by name counts.
func (s *Store) Git(ctx context.Context, repoURL string) (user, password string, err error) {
	var list corev1.SecretList
	if err := s.cached.List(ctx, &list, client.InNamespace(s.namespace), client.HasLabels{LabelSecretType}); err != nil {
		return "", "", fmt.Errorf("cannot list the repository Secrets of namespace %s: %w", s.namespace, err)
	}
	repo := freight.GitRepository(repoURL)
	var best *corev1.Secret
	closest := 0
	for i := range list.Items {
		secret := &list.Items[i]
		near := nearness(secret, repo)
		if near > closest || near > 0 && near == closest && secret.Name < best.Name {
			best, closest = secret, near
		}
	}
	if best == nil {
		return "", "", nil
	}
	return string(best.Data["username"]), string(best.Data["password"]), nil
}

// nearness tells how closely a Secret fits a repository: the greater the more,
// 0 for not at all.
func nearness(secret *corev1.Secret, repo string) int {
	address := string(secret.Data["url"])
	switch secret.Labels[LabelSecretType] {
	case secretRepository:
		if freight.GitRepository(address) == repo && len(secret.Data["username"])+len(secret.Data["password"]) > 0 {
			return math.MaxInt
		}
	case secretRepoCreds:
		// A prefix ends where a part of the path does, so that the credentials
		// of /team never go to /team-b.
		if prefix, ok := prefixOf(address); ok && strings.HasPrefix(repo+"/", prefix+"/") {
			return len(prefix)
		}
	}
	return 0
}

// prefixOf returns the one spelling of a repo-creds url, which may be a whole
// host; false where it names none and would be for all of them.
func prefixOf(address string) (string, bool) {
	const below = "/x" // with it, the prefix is spelled as a repository is
	u, err := url.Parse(freight.GitRepository(strings.TrimRight(strings.TrimSpace(address), "/") + below))
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, below), ".git")
	return u.String(), true
}
