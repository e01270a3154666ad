package registry

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// The body and the link are what a registry answers for its tags at first; then
// the body again.
func FuzzTags(f *testing.F) {
	f.Add([]byte(`{"name":"shop","tags":["v1.0.0","latest"]}`), `</v2/shop/tags/list?n=1000&last=a>; rel="next"`)
	f.Add([]byte(`{"tags":null}`), "")
	f.Add([]byte(`{"tags":["../../x",""]}`), "<http://evil.example.com/v2/shop/tags/list>")
	f.Add([]byte(`[]`), "<")
	f.Fuzz(func(t *testing.T, body []byte, link string) {
		registries, lists := New(Options{}), 0
		registries.secure = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme != "https" || r.URL.Host != "registry.example.com" {
				t.Errorf("%s is asked", r.URL)
			}
			w := httptest.NewRecorder()
			if r.URL.Path != "/v2/" {
				if lists++; lists == 1 {
					w.Header()["Link"] = []string{link}
				}
				_, _ = w.Write(body)
			}
			res := w.Result()
			res.Request = r
			return res, nil
		})
		found, err := tags(t, registries, Access{RepoURL: "registry.example.com/shop"})
		if err != nil && found != nil {
			t.Errorf("%d tags and the error %v", len(found), err)
		}
		for _, tag := range found {
			if tag == "" || len(tag) > 128 || tag[0] == '.' || tag[0] == '-' {
				t.Errorf("%q is taken for a tag", tag)
			}
		}
	})
}
