package freight_test

import (
	"fmt"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
)

func TestAMirrorTakesThePlaceOfARegistry(t *testing.T) {
	mirrors := []freight.Mirror{
		{From: "registry.dev.example.com", To: "registry.prod.example.com"},
		{From: "registry.dev.example.com/team/special", To: "other.example.com:5000/special"},
		{From: "docker.io", To: "hub.example.com/docker"},
		{From: "registry.prod.example.com", To: "never.example.com"},
	}
	for _, tt := range []struct {
		name, repo, want string
		mirrored         bool
	}{
		{"a host, whatever the path", "registry.dev.example.com/team/shop", "registry.prod.example.com/team/shop", true},
		{"in any spelling", "https://Registry.Dev.example.com/shop/", "registry.prod.example.com/shop", true},
		{"the longest counts", "registry.dev.example.com/team/special", "other.example.com:5000/special", true},
		{"and what lies below it", "registry.dev.example.com/team/special/a", "other.example.com:5000/special/a", true},
		{"a part of a name is not the name", "registry.dev.example.com/team/specials", "registry.prod.example.com/team/specials", true},
		{"a longer host is another", "registry.dev.example.com.evil.example/shop", "registry.dev.example.com.evil.example/shop", false},
		{"Docker Hub's implied host", "nginx", "hub.example.com/docker/library/nginx", true},
		{"one mirror is not applied to what another gave", "registry.prod.example.com/shop", "never.example.com/shop", true},
		{"no mirror", "quay.io/shop/shop", "quay.io/shop/shop", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, mirrored := freight.Mirrored(tt.repo, mirrors)
			if got != tt.want || mirrored != tt.mirrored {
				t.Errorf("Mirrored(%q) = %q, %t, want %q, %t", tt.repo, got, mirrored, tt.want, tt.mirrored)
			}
		})
	}
}

func TestMirrorsThatCannotBeUsedAreTold(t *testing.T) {
	good := freight.Mirror{From: "a.example.com", To: "b.example.com:5000/x"}
	many := make([]freight.Mirror, freight.MaxMirrors+1)
	for i := range many {
		many[i] = freight.Mirror{From: fmt.Sprintf("a.example.com/%d", i), To: "b.example.com"}
	}
	for name, tt := range map[string]struct {
		mirrors []freight.Mirror
		index   int
		fails   bool
	}{
		"good":       {[]freight.Mirror{good, {From: "localhost:5000", To: "docker.io"}, {From: "nginx", To: "b.example.com/nginx"}}, -1, false},
		"no from":    {[]freight.Mirror{good, {To: "b.example.com"}}, 1, true},
		"no to":      {[]freight.Mirror{{From: "a.example.com", To: " / "}}, 0, true},
		"a tag":      {[]freight.Mirror{{From: "a.example.com/shop:v1", To: "b.example.com"}}, 0, true},
		"a digest":   {[]freight.Mirror{{From: "a.example.com/shop", To: "b.example.com/shop@sha256:00"}}, 0, true},
		"a scheme":   {[]freight.Mirror{{From: "https://a.example.com", To: "b.example.com"}}, 0, true},
		"to itself":  {[]freight.Mirror{{From: "A.example.com", To: "a.example.com/"}}, 0, true},
		"twice":      {[]freight.Mirror{good, {From: "A.example.com", To: "c.example.com"}}, 1, true},
		"a thousand": {many, -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			index, err := freight.CheckMirrors(tt.mirrors)
			if index != tt.index || (err != nil) != tt.fails {
				t.Errorf("CheckMirrors = %d, %v, want %d", index, err, tt.index)
			}
		})
	}
}

func ExampleMirrored() {
	mirrors := []freight.Mirror{{From: "registry.dev.example.com", To: "registry.prod.example.com"}}
	fmt.Println(freight.Mirrored("registry.dev.example.com/shop", mirrors))
	// Output: registry.prod.example.com/shop true
}
