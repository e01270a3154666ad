package credential_test

import (
	"math"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/proxy/store/credential"
)

func TestTheNearestSecretIsTheRepositorysOwn(t *testing.T) {
	repo := freight.GitRepository("https://git.example.com/team/shop.git")
	for name, test := range map[string]struct {
		secret credential.Secret
		want   int
	}{
		"its own":             {credential.Secret{Type: "repository", URL: "https://git.example.com/team/shop", Complete: true}, math.MaxInt},
		"its own, with none":  {credential.Secret{Type: "repository", URL: "https://git.example.com/team/shop"}, 0},
		"another's":           {credential.Secret{Type: "repository", URL: "https://git.example.com/team/other", Complete: true}, 0},
		"of its team":         {credential.Secret{Type: "repo-creds", URL: "https://git.example.com/team"}, len("https://git.example.com/team")},
		"of its host":         {credential.Secret{Type: "repo-creds", URL: "https://git.example.com"}, len("https://git.example.com")},
		"of a longer name":    {credential.Secret{Type: "repo-creds", URL: "https://git.example.com/te"}, 0},
		"of nothing":          {credential.Secret{Type: "repo-creds"}, 0},
		"of no known type":    {credential.Secret{Type: "cluster", URL: "https://git.example.com/team/shop", Complete: true}, 0},
		"of no type, of none": {credential.Secret{}, 0},
	} {
		if got := credential.Nearness(test.secret, repo); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
