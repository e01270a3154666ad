package cloud

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

func TestOnlyRegistriesOfTheThreeCloudsMayBeListed(t *testing.T) {
	for host, known := range map[string]bool{
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com": true,
		"public.ecr.aws":           true,
		"gcr.io":                   true,
		"eu.gcr.io":                true,
		"europe-docker.pkg.dev":    true,
		"shop.azurecr.io":          true,
		"ghcr.io":                  false,
		"registry.example.com":     false,
		"shop.azurecr.io.evil.org": false,
		"evilgcr.io":               false,
		"evil.org/123456789012.dkr.ecr.eu-west-1.amazonaws.com": false,
	} {
		if err := Check(host); (err == nil) != known {
			t.Errorf("%s: %v, want it listed: %v", host, err, known)
		}
	}
}

func TestARegistryOfNoCloudGetsNothing(t *testing.T) {
	refused := func(context.Context, string) (authn.AuthConfig, error) {
		t.Error("a cloud was asked")
		return authn.AuthConfig{}, nil
	}
	registry, err := name.NewRegistry("registry.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if auth, err := (keychain{refused, refused}).Resolve(registry); err != nil || auth != authn.Anonymous {
		t.Errorf("%v, error %v, want no sign-in", auth, err)
	}
}

func TestEachCloudSignsInAtItsOwn(t *testing.T) {
	by := func(user string) signIn {
		return func(_ context.Context, host string) (authn.AuthConfig, error) {
			return authn.AuthConfig{Username: user, Password: host}, nil
		}
	}
	for host, want := range map[string]string{"123456789012.dkr.ecr.eu-west-1.amazonaws.com": "amazon", "shop.azurecr.io": "azure"} {
		registry, err := name.NewRegistry(host)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := keychain{by("amazon"), by("azure")}.Resolve(registry)
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.Authorization()
		if err != nil || got.Username != want || got.Password != host {
			t.Errorf("%s: %+v, error %v, want %s", host, got, err, want)
		}
	}
}

// identity is one that gets the token "aad", or an error.
type identity struct{ err error }

func (i identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 || o.Scopes[0] != azureScope {
		return azcore.AccessToken{}, errors.New("another scope")
	}
	return azcore.AccessToken{Token: "aad", ExpiresOn: time.Now().Add(time.Hour)}, i.err
}

func TestAzureExchangesItsTokenForTheRegistrysOwn(t *testing.T) {
	status, answer := http.StatusOK, `{"refresh_token":"acr"}`
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := map[string]string{"grant_type": "access_token", "service": r.Host, "access_token": "aad"}
		got := map[string]string{"grant_type": r.FormValue("grant_type"), "service": r.FormValue("service"), "access_token": r.FormValue("access_token")}
		if diff := cmp.Diff(want, got); diff != "" || r.URL.Path != "/oauth2/exchange" {
			t.Errorf("%s is asked (-want +got):\n%s", r.URL.Path, diff)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	found := func() (azcore.TokenCredential, error) { return identity{}, nil }
	got, err := azure(found, server.Client())(t.Context(), host)
	if err != nil || got.Username != azureUser || got.Password != "acr" {
		t.Errorf("%+v, error %v", got, err)
	}
	for what, test := range map[string]struct {
		status   int
		answer   string
		identity func() (azcore.TokenCredential, error)
		want     string
	}{
		"a refusal":          {http.StatusUnauthorized, `{"errors":["aad"]}`, found, "the registry takes no token of Azure (status 401)"},
		"another answer":     {http.StatusOK, `<html>`, found, "the registry takes no token of Azure (status 200)"},
		"no identity":        {http.StatusOK, "", func() (azcore.TokenCredential, error) { return nil, errors.New("aad") }, "Azure gives no token: bind"},
		"an identity's fail": {http.StatusOK, "", func() (azcore.TokenCredential, error) { return identity{errors.New("aad")}, nil }, "Azure gives no token: bind"},
	} {
		status, answer = test.status, test.answer
		_, err := azure(test.identity, server.Client())(t.Context(), host)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "aad") {
			t.Errorf("%s: error %v, want %s", what, err, test.want)
		}
	}
}
