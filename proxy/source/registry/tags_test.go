package registry_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
)

// A registry may know no links, as go-containerregistry's own, which moreover
// begins anew after the end.
func TestAFullPageWithoutALinkIsNotTakenForTheEnd(t *testing.T) {
	for what, test := range map[string]struct {
		tags, requests int
		anew           bool
	}{
		"half a page":              {500, 1, false},
		"a page":                   {1000, 2, false},
		"a page, and anew":         {1000, 2, true},
		"two pages and a half":     {2500, 3, false},
		"three pages, and anew":    {3000, 4, true},
		"three pages and a little": {3001, 4, true},
	} {
		all := make([]string, test.tags)
		for i := range all {
			all[i] = fmt.Sprintf("v%05d", i)
		}
		var requests atomic.Int64
		mux := http.NewServeMux()
		mux.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc("GET /v2/shop/tags/list", func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			n, _ := strconv.Atoi(r.URL.Query().Get("n"))
			from, _ := slices.BinarySearch(all, r.URL.Query().Get("last")+"\x00")
			if from == len(all) && test.anew {
				from = 0
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"tags": all[from:min(from+n, len(all))]})
		})
		got, err := signIn(t, mux).Tags(t.Context())
		if err != nil || !slices.Equal(all, got) || int(requests.Load()) != test.requests {
			t.Errorf("%s: %d tags in %d requests, error %v, want %d in %d", what, len(got), requests.Load(), err, test.tags, test.requests)
		}
	}
}
