// Package cloud signs in at the registries of Amazon, Google and Azure with the
// identity that the proxy has in that cloud: of its pod, or of its machine. It is
// for the registries alone that an installation lists, since every pipeline may
// then read what that identity may.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/awslabs/amazon-ecr-credential-helper/ecr-login"
	"github.com/awslabs/amazon-ecr-credential-helper/ecr-login/api"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/google"
)

// signIn returns what signs in at a registry.
type signIn func(ctx context.Context, host string) (authn.AuthConfig, error)

// keychain implements authn.Keychain, for the registries of the three clouds.
type keychain struct{ amazon, azure signIn }

// Keychain returns what signs in at the registries of the three clouds, and at no
// other. Nothing is asked before it is needed, and nothing is kept on disk.
func Keychain() authn.Keychain {
	// Amazon's helper would keep tokens in a file of the home folder.
	_ = os.Setenv("AWS_ECR_DISABLE_CACHE", "true")
	const timeout = 30 * time.Second
	elsewhere := &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return keychain{amazon: amazon, azure: azure(newAzureIdentity, elsewhere)}
}

// Check tells whether a host is a registry of one of the three clouds.
func Check(host string) error {
	if isAmazon(host) || isAzure(host) || isGoogle(host) {
		return nil
	}
	return fmt.Errorf("%s is no registry of Amazon (ECR), Google (Artifact Registry) or Azure (ACR): give the pipelines a Secret for it instead", host)
}

// Resolve implements authn.Keychain.
func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (k keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	host := target.RegistryStr()
	var with signIn
	switch {
	case isGoogle(host):
		return authn.Resolve(ctx, google.Keychain, target)
	case isAmazon(host):
		with = k.amazon
	case isAzure(host):
		with = k.azure
	default:
		return authn.Anonymous, nil
	}
	config, err := with(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("the proxy's own cloud identity cannot sign in at %s: %w", host, err)
	}
	return authn.FromConfig(config), nil
}

// isGoogle is as go-containerregistry's keychain has it.
func isGoogle(host string) bool {
	return host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, ".pkg.dev")
}

func isAmazon(host string) bool {
	_, err := api.ExtractRegistry(host)
	return err == nil
}

// errAmazon stands for the helper's error, which says no more than that there are
// no credentials.
var errAmazon = errors.New("Amazon gives no token: bind the proxy's ServiceAccount to a role that may pull")

// amazon signs in by Amazon's own helper, which knows no context: whoever waits
// for it stops waiting with theirs.
func amazon(ctx context.Context, host string) (authn.AuthConfig, error) {
	type answer struct {
		config authn.AuthConfig
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		user, password, err := ecr.NewECRHelper(ecr.WithLogger(io.Discard)).Get(host)
		if err != nil {
			err = errAmazon
		}
		answers <- answer{authn.AuthConfig{Username: user, Password: password}, err}
	}()
	select {
	case a := <-answers:
		return a.config, a.err
	case <-ctx.Done():
		return authn.AuthConfig{}, ctx.Err()
	}
}
