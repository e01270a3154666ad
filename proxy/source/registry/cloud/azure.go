package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/go-containerregistry/pkg/authn"
)

// isAzure knows the registries of Azure's public, Chinese and American clouds.
func isAzure(host string) bool {
	return strings.HasSuffix(host, ".azurecr.io") || strings.HasSuffix(host, ".azurecr.cn") || strings.HasSuffix(host, ".azurecr.us")
}

// newAzureIdentity finds the proxy's identity: that of a pod (workload identity)
// where its variables are set, else that of the machine.
func newAzureIdentity() (azcore.TokenCredential, error) {
	if pod, err := azidentity.NewWorkloadIdentityCredential(nil); err == nil {
		return pod, nil
	}
	return azidentity.NewManagedIdentityCredential(nil)
}

const (
	// azureScope is whom a token is for that is exchanged for a registry's own.
	azureScope = "https://containerregistry.azure.net/.default"
	// azureUser is the user whose password is a registry's refresh token.
	azureUser = "00000000-0000-0000-0000-000000000000"
	maxAnswer = 64 << 10 // bytes
)

var errAzure = errors.New("Azure gives no token: bind the proxy's ServiceAccount to an identity with the role AcrPull")

// azure signs in by exchanging a token of the identity for one of the registry
// (github.com/Azure/acr, docs/AAD-OAuth.md, POST /oauth2/exchange).
func azure(identity func() (azcore.TokenCredential, error), client *http.Client) signIn {
	return func(ctx context.Context, host string) (authn.AuthConfig, error) {
		found, err := identity()
		if err != nil {
			return authn.AuthConfig{}, errAzure
		}
		token, err := found.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{azureScope}})
		if err != nil {
			return authn.AuthConfig{}, errAzure
		}
		form := url.Values{"grant_type": {"access_token"}, "service": {host}, "access_token": {token.Token}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+"/oauth2/exchange", strings.NewReader(form.Encode()))
		if err != nil {
			return authn.AuthConfig{}, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(req)
		if err != nil {
			return authn.AuthConfig{}, err
		}
		defer res.Body.Close()
		var answer struct {
			RefreshToken string `json:"refresh_token"`
		}
		err = json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer)
		if res.StatusCode != http.StatusOK || err != nil || answer.RefreshToken == "" {
			return authn.AuthConfig{}, fmt.Errorf("the registry takes no token of Azure (status %d): let the proxy's identity pull", res.StatusCode)
		}
		return authn.AuthConfig{Username: azureUser, Password: answer.RefreshToken}, nil
	}
}
