package freight_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
)

func TestFreightIsComparedArtifactByArtifact(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	from := freight.Artifacts{
		Images:  []freight.Image{{RepoURL: "docker.io/library/nginx", Tag: "1", Digest: one}, {RepoURL: "registry.example.com/gone", Tag: "1", Digest: one}},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop.git", ID: strings.Repeat("a", 40)}},
		Charts:  []freight.Chart{{RepoURL: "https://charts.example.com", Name: "db", Version: "1.0.0"}},
	}
	to := freight.Artifacts{
		Images:  []freight.Image{{RepoURL: "nginx", Tag: "2", Digest: two}},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop", ID: strings.Repeat("b", 40), Tag: "v2"}},
		Charts:  []freight.Chart{{RepoURL: "https://charts.example.com", Name: "db", Version: "1.0.0"}, {RepoURL: "oci://registry.example.com/charts/new", Version: "1"}},
	}
	version := func(name, id string) *freight.Version { return &freight.Version{Name: name, ID: id} }
	want := []freight.Difference{
		{Kind: "image", Artifact: "nginx", From: version("1", one), To: version("2", two), Changed: true},
		{Kind: "image", Artifact: "registry.example.com/gone", From: version("1", one), Changed: true},
		{Kind: "commit", Artifact: "https://git.example.com/shop", From: version("", strings.Repeat("a", 40)), To: version("v2", strings.Repeat("b", 40)), Changed: true},
		{Kind: "chart", Artifact: "https://charts.example.com/db", From: version("1.0.0", ""), To: version("1.0.0", "")},
		{Kind: "chart", Artifact: "oci://registry.example.com/charts/new", To: version("1", ""), Changed: true},
	}
	if diff := cmp.Diff(want, freight.Compare(from, to)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, d := range freight.Compare(to, to) {
		if d.Changed {
			t.Errorf("compared with itself, %s has changed", d.Artifact)
		}
	}
}

func TestArtifactsOfOneRepositoryAreComparedByTheirSubscriptions(t *testing.T) {
	image := func(subscription, tag string) freight.Image {
		return freight.Image{RepoURL: "nginx", Tag: tag, Digest: "sha256:" + tag, Subscription: subscription}
	}
	for name, tt := range map[string]struct {
		from, to []freight.Image
		want     []string
	}{
		"whatever their order":                  {[]freight.Image{image("web", "1"), image("worker", "2")}, []freight.Image{image("worker", "3"), image("web", "1")}, []string{"worker: 2 to 3", "web: 1 to 1"}},
		"one that is new, one that is gone":     {[]freight.Image{image("web", "1")}, []freight.Image{image("worker", "1")}, []string{"worker:  to 1", "web: 1 to "}},
		"one that got its name":                 {[]freight.Image{image("", "1")}, []freight.Image{image("web", "2")}, []string{"web: 1 to 2"}},
		"one that lost its name":                {[]freight.Image{image("web", "1")}, []freight.Image{image("", "2")}, []string{": 1 to 2"}},
		"one that got its name, beside another": {[]freight.Image{image("", "1")}, []freight.Image{image("edge", "9"), image("web", "2")}, []string{"edge: 1 to 9", "web:  to 2"}},
		"its own name goes first":               {[]freight.Image{image("", "1"), image("web", "2")}, []freight.Image{image("web", "3")}, []string{"web: 2 to 3", ": 1 to "}},
		"the first with the first":              {[]freight.Image{image("", "1"), image("", "2")}, []freight.Image{image("", "3"), image("", "4")}, []string{": 1 to 3", ": 2 to 4"}},
		"more than before":                      {[]freight.Image{image("", "1")}, []freight.Image{image("", "3"), image("", "4")}, []string{": 1 to 3", ":  to 4"}},
	} {
		var got []string
		for _, d := range freight.Compare(freight.Artifacts{Images: tt.from}, freight.Artifacts{Images: tt.to}) {
			var from, to string
			if d.From != nil {
				from = d.From.Name
			}
			if d.To != nil {
				to = d.To.Name
			}
			if d.Changed != (from != to) {
				t.Errorf("%s: changed is %t of %s to %s", name, d.Changed, from, to)
			}
			got = append(got, d.Subscription+": "+from+" to "+to)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatLiesBetweenIsOfTheSameOrigin(t *testing.T) {
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	make := func(origin, tag string) freight.Freight {
		return freight.New("waybill/shop", origin, freight.Artifacts{Images: []freight.Image{{RepoURL: origin, Tag: tag, Digest: "sha256:" + strings.Repeat("1", 64)}}}, at)
	}
	all := []freight.Freight{make("shop", "4"), make("shop", "3"), make("books", "9"), make("shop", "2"), make("shop", "1")}
	for name, tt := range map[string]struct {
		from, to  int
		want      []freight.Freight
		backwards bool
	}{
		"forwards":    {4, 0, []freight.Freight{all[1], all[3]}, false},
		"backwards":   {0, 4, []freight.Freight{all[1], all[3]}, true},
		"the next":    {4, 3, nil, false},
		"the same":    {1, 1, nil, false},
		"not a bound": {3, 1, nil, false},
	} {
		got, backwards := freight.Between(all, all[tt.from], all[tt.to])
		if diff := cmp.Diff(tt.want, got); diff != "" || backwards != tt.backwards {
			t.Errorf("%s: backwards %v (-want +got):\n%s", name, backwards, diff)
		}
	}
	if got, _ := freight.Between(all, make("shop", "gone"), all[0]); got != nil {
		t.Errorf("from what is not there: %v", got)
	}
}
