package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/crypto/bcrypt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

// ErrLogin says that Argo CD knows no such user, or another password.
var ErrLogin = errors.New("the user or the password is refused by Argo CD")

// AdminPassword is the password of Argo CD's account admin, which is made anew
// for each stack.
func (s *Stack) AdminPassword() string { return s.adminPassword }

func (s *Stack) setAdminPassword(ctx context.Context) error {
	return s.setPassword(ctx, "admin", s.adminPassword)
}

// CreateAccount makes a local account of Argo CD that may log in and have API
// keys, or gives it another password, and returns when it can log in. It has no
// rights but those that Argo CD's RBAC gives it.
func (s *Stack) CreateAccount(ctx context.Context, name, password string) error {
	if err := s.setPassword(ctx, "accounts."+name, password); err != nil {
		return err
	}
	if err := s.patch(ctx, "configmaps", "argocd-cm", map[string]any{
		"data": map[string]string{"accounts." + name: "login, apiKey"},
	}); err != nil {
		return fmt.Errorf("making the account %s: %w", name, err)
	}
	var last error
	err := wait.PollUntilContextTimeout(ctx, waitInterval, waitTimeout, true, func(ctx context.Context) (bool, error) {
		_, last = s.Login(ctx, name, password)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the account %s cannot log in: %w", name, errors.Join(err, last))
	}
	return nil
}

func (s *Stack) setPassword(ctx context.Context, prefix, password string) error {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hashing a password: %w", err)
	}
	err = s.patch(ctx, "secrets", "argocd-secret", map[string]any{"stringData": map[string]string{
		prefix + ".password":      string(hash),
		prefix + ".passwordMtime": time.Now().UTC().Format(time.RFC3339),
	}})
	if err != nil {
		return fmt.Errorf("setting a password in Argo CD: %w", err)
	}
	return nil
}

func (s *Stack) patch(ctx context.Context, resource, name string, change any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	return s.client.CoreV1().RESTClient().Patch(types.MergePatchType).
		Namespace(ArgoCDNamespace).Resource(resource).Name(name).
		VersionedParams(&metav1.PatchOptions{FieldManager: installer}, metav1.ParameterCodec).
		Body(body).Do(ctx).Error()
}

// Login returns a token of Argo CD for a user: for the header Authorization of
// its API, and for the cookie argocd.token of its extensions.
func (s *Stack) Login(ctx context.Context, user, password string) (string, error) {
	const maxAnswer = 64 << 10
	body, err := json.Marshal(map[string]string{"username": user, "password": password})
	if err != nil {
		return "", fmt.Errorf("logging in as %s: %w", user, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.ArgoCDURL()+"/api/v1/session", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("logging in as %s: %w", user, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("logging in as %s: %w", user, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("logging in as %s: %w", user, err)
	}
	if response.StatusCode == http.StatusUnauthorized {
		return "", fmt.Errorf("logging in as %s: %w", user, ErrLogin)
	}
	var session struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(answer, &session); err != nil || session.Token == "" {
		return "", fmt.Errorf("logging in as %s: Argo CD answered %s without a token", user, response.Status)
	}
	return session.Token, nil
}

// ConnectRepository gives Argo CD the user and password for a repository of the
// stack's Git host, by its URL.
func (s *Stack) ConnectRepository(ctx context.Context, url string) error {
	hash := sha256.Sum256([]byte(url))
	secret, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"metadata": map[string]any{
			"name":      "repo-" + hex.EncodeToString(hash[:5]),
			"namespace": ArgoCDNamespace,
			"labels": map[string]string{
				"argocd.argoproj.io/secret-type": "repository",
				"app.kubernetes.io/part-of":      "argocd",
			},
		},
		"stringData": map[string]string{
			"type": "git", "url": url, "username": s.git.User(), "password": s.git.Password(),
		},
	})
	if err != nil {
		return fmt.Errorf("connecting Argo CD with %s: %w", url, err)
	}
	if err := s.Apply(ctx, secret); err != nil {
		return fmt.Errorf("connecting Argo CD with %s: %w", url, err)
	}
	return nil
}
