package credential_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/waybill-cd/waybill/proxy/store/credential"
)

func TestTheEntryOfADockerConfigurationForARepository(t *testing.T) {
	for name, test := range map[string]struct {
		keys       string // of the entries, each with itself as password
		host, path string
		want       string // password, empty for none
	}{
		"its host":                    {"registry.example.com", "registry.example.com", "team/shop", "registry.example.com"},
		"its host in capitals":        {"Registry.Example.com", "registry.example.com", "team/shop", "Registry.Example.com"},
		"its host as a URL":           {"https://registry.example.com/v2/", "registry.example.com", "team/shop", "https://registry.example.com/v2/"},
		"its host with a port":        {"registry.example.com:5000", "registry.example.com:5000", "shop", "registry.example.com:5000"},
		"its host without its port":   {"registry.example.com", "registry.example.com:5000", "shop", ""},
		"a longer path":               {"registry.example.com registry.example.com/team registry.example.com/team/shop", "registry.example.com", "team/shop", "registry.example.com/team/shop"},
		"a path above":                {"registry.example.com registry.example.com/team", "registry.example.com", "team/shop", "registry.example.com/team"},
		"half a part of a path":       {"registry.example.com/te", "registry.example.com", "team/shop", ""},
		"another path":                {"registry.example.com/other", "registry.example.com", "team/shop", ""},
		"another host":                {"example.com evil.registry.example.com", "registry.example.com", "shop", ""},
		"Docker Hub, as Docker does":  {"https://index.docker.io/v1/", "index.docker.io", "library/ubuntu", "https://index.docker.io/v1/"},
		"Docker Hub, as people do":    {"docker.io", "index.docker.io", "library/ubuntu", "docker.io"},
		"two spellings":               {"https://registry.example.com registry.example.com", "registry.example.com", "shop", "https://registry.example.com"},
		"none":                        {"", "registry.example.com", "shop", ""},
		"a user that is another host": {"registry.example.com@evil.org", "evil.org", "shop", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []string
			for _, key := range strings.Fields(test.keys) {
				entries = append(entries, fmt.Sprintf(`%q:{"auth":%q}`, key, base64.StdEncoding.EncodeToString([]byte("ci:"+key))))
			}
			got, found, err := credential.Docker([]byte(`{"auths":{`+strings.Join(entries, ",")+`}}`), test.host, test.path)
			if err != nil || got.Password != test.want || found != (test.want != "") {
				t.Errorf("%+v, %v, error %v, want the password %q", got, found, err, test.want)
			}
			if found && got.Username != "ci" {
				t.Errorf("user %q, want ci", got.Username)
			}
		})
	}
}

func TestWhatIsNoDockerConfigurationIsAnErrorWithoutIt(t *testing.T) {
	for _, text := range []string{"", "secret", `{}`, `{"auths":7}`, `{"auths":{"h":{"auth":"c2VjcmV0"}}}`, `[]`} {
		if _, _, err := credential.Docker([]byte(text), "h", "shop"); !errors.Is(err, credential.ErrNoDockerConfig) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %v", text, err, credential.ErrNoDockerConfig)
		}
	}
}

func FuzzDocker(f *testing.F) {
	f.Add(`{"auths":{"registry.example.com":{"username":"a","password":"b"}}}`, "registry.example.com", "team/shop")
	f.Add(`{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"}}}`, "index.docker.io", "library/ubuntu")
	f.Add(`{"auths":{"":{}}}`, "", "")
	f.Fuzz(func(t *testing.T, configuration, host, path string) {
		got, found, err := credential.Docker([]byte(configuration), host, path)
		if !found && got != (authn.AuthConfig{}) || err != nil && found {
			t.Errorf("%q for %q %q: %+v, %v, %v", configuration, host, path, got, found, err)
		}
	})
}
