package freight_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/freight"
)

var (
	digestA = "sha256:" + strings.Repeat("a", 64)
	digestB = "sha256:" + strings.Repeat("b", 64)
	digestC = "sha256:" + strings.Repeat("c", 64)
)

const commitID = "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90"

// shop has one artifact of each kind, none in its canonical spelling.
func shop() freight.Artifacts {
	return freight.Artifacts{
		Images:  []freight.Image{{RepoURL: "Registry.Example.com/shop/", Tag: "v1.4.2", Digest: digestA}},
		Commits: []freight.Commit{{RepoURL: "https://bot@git.example.com:443/shop.git", ID: commitID}},
		Charts:  []freight.Chart{{RepoURL: "oci://REGISTRY.example.com/charts/db", Version: "2.1.0", Digest: digestC}},
	}
}

// The ID is in every record ever written, so it may never change: this one was
// computed with sha256sum over the five lines of its canonical form.
func TestTheIDOfKnownFreightNeverChanges(t *testing.T) {
	const golden = "373db6493d902939dbbe52a6d11e4d5eceaea916fd8cdfd501084edc2b81cbd0"
	if got := freight.ID("waybill/shop", "shop", shop()); got != golden {
		t.Errorf("ID = %s, want %s", got, golden)
	}
}

// Naming subscriptions changed no ID of freight without names. With them, the name
// stands at the end of the artifact's line: computed as above.
func TestTheIDOfFreightWithNamesOfSubscriptionsNeverChanges(t *testing.T) {
	const golden = "ff4679d1ab5e667550c87fe9e4378a57cde4b5803652ed34b056b2433efd3bb3"
	a := shop()
	a.Images[0].Subscription, a.Commits[0].Subscription, a.Charts[0].Subscription = "web", "main", "db"
	if got := freight.ID("waybill/shop", "shop", a); got != golden {
		t.Errorf("ID = %s, want %s", got, golden)
	}
}

func TestTheIDIsTheSameForEveryWayToWriteTheContent(t *testing.T) {
	image := func(url string) freight.Artifacts {
		return freight.Artifacts{Images: []freight.Image{{RepoURL: url, Tag: "v1", Digest: digestA}}}
	}
	commit := func(url string) freight.Artifacts {
		return freight.Artifacts{Commits: []freight.Commit{{RepoURL: url, ID: commitID, Tag: "v1"}}}
	}
	chart := func(url, name string) freight.Artifacts {
		return freight.Artifacts{Charts: []freight.Chart{{RepoURL: url, Name: name, Version: "1.0.0"}}}
	}
	two := shop()
	two.Images = append(two.Images, freight.Image{RepoURL: "registry.example.com/api", Tag: "v2", Digest: digestB})
	reversed := shop()
	reversed.Images = []freight.Image{two.Images[1], two.Images[0]}

	tests := map[string][]freight.Artifacts{
		"Docker Hub's implied host and library": {
			image("nginx"), image("library/nginx"), image("docker.io/nginx"), image("docker.io/library/nginx"),
			image("index.docker.io/nginx"), image("https://registry-1.docker.io/library/nginx/"),
		},
		"the case of a registry's host": {image("ghcr.io/shop"), image("GHCR.io/shop"), image(" ghcr.io/shop ")},
		"a Git URL's user, default port, suffix and case": {
			commit("https://git.example.com/a/b"), commit("https://git.example.com/a/b.git"),
			commit("https://git.example.com/a/b/"), commit("HTTPS://me:secret@Git.Example.com:443/a/b.git/"),
		},
		"the scp-like form of an SSH URL": {
			commit("git@git.example.com:a/b.git"), commit("ssh://git@git.example.com/a/b"),
			commit("ssh://git.example.com:22/a/b.git"), commit("git.example.com:/a/b"),
		},
		"a chart repository's user, case and slash": {
			chart("https://charts.example.com/stable", "db"), chart("https://u:p@Charts.Example.com/stable/", "db"),
		},
		"an OCI chart repository's case": {chart("oci://ghcr.io/charts/db", ""), chart("OCI://GHCR.io/charts/db/", "")},
		"the order of artifacts":         {two, reversed},
	}
	for name, all := range tests {
		t.Run(name, func(t *testing.T) {
			want := freight.ID("waybill/shop", "shop", all[0])
			for i, a := range all[1:] {
				if got := freight.ID("waybill/shop", "shop", a); got != want {
					t.Errorf("spelling %d has the ID %s, want %s as the first: %+v", i+1, got, want, a)
				}
			}
		})
	}
}

func TestTheIDDiffersWithEveryPartOfTheContent(t *testing.T) {
	change := func(f func(*freight.Artifacts)) freight.Artifacts {
		a := shop()
		f(&a)
		return a
	}
	ids := map[string]string{
		"as it is":             freight.ID("waybill/shop", "shop", shop()),
		"another namespace":    freight.ID("team/shop", "shop", shop()),
		"another pipeline":     freight.ID("waybill/shop2", "shop", shop()),
		"another warehouse":    freight.ID("waybill/shop", "shop2", shop()),
		"parts moved":          freight.ID(`waybill/shop" "x`, "shop", shop()),
		"parts moved back":     freight.ID("waybill/shop", `x" "shop`, shop()),
		"no artifacts":         freight.ID("waybill/shop", "shop", freight.Artifacts{}),
		"no image":             freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images = nil })),
		"an image twice":       freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images = append(a.Images, a.Images[0]) })),
		"image repository":     freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].RepoURL = "registry.example.com/Shop" })),
		"image tag":            freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Tag = "v1.4.3" })),
		"image digest":         freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Digest = digestB })),
		"commit repository":    freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Commits[0].RepoURL = "ssh://git.example.com/shop" })),
		"commit ID":            freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Commits[0].ID = strings.Repeat("0", 40) })),
		"commit tag":           freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Commits[0].Tag = "v1" })),
		"chart repository":     freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Charts[0].RepoURL = "oci://ghcr.io/charts/db" })),
		"chart name":           freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Charts[0].Name = "db" })),
		"chart version":        freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Charts[0].Version = "2.1.1" })),
		"chart digest":         freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Charts[0].Digest = "" })),
		"image subscription":   freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Subscription = "web" })),
		"other subscription":   freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Subscription = "web2" })),
		"commit subscription":  freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Commits[0].Subscription = "web" })),
		"chart subscription":   freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Charts[0].Subscription = "web" })),
		"subscription moved":   freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Digest += `" of "web` })),
		"tag and digest moved": freight.ID("waybill/shop", "shop", change(func(a *freight.Artifacts) { a.Images[0].Tag, a.Images[0].Digest = "", `v1.4.2" "`+digestA })),
	}
	seen := map[string]string{}
	for name, id := range ids {
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %q share the ID %s", name, other, id)
		}
		seen[id] = name
	}
}

func TestNewFreightKnowsItsIDAndLeavesItsInputAlone(t *testing.T) {
	at := time.Date(2026, 3, 1, 14, 0, 0, 999, time.FixedZone("CET", 3600))
	in := freight.Artifacts{Images: []freight.Image{
		{RepoURL: "registry.example.com/web", Digest: digestA},
		{RepoURL: "registry.example.com/api", Digest: digestB},
	}}
	want := freight.Freight{
		APIVersion: "waybill.dev/v1",
		Kind:       "Freight",
		ID:         freight.ID("waybill/shop", "shop", in),
		Pipeline:   "waybill/shop",
		Origin:     "shop",
		Artifacts: freight.Artifacts{Images: []freight.Image{
			{RepoURL: "registry.example.com/api", Digest: digestB},
			{RepoURL: "registry.example.com/web", Digest: digestA},
		}},
		DiscoveredAt: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, freight.New("waybill/shop", "shop", in, at)); diff != "" {
		t.Errorf("New (-want +got):\n%s", diff)
	}
	if in.Images[0].RepoURL != "registry.example.com/web" {
		t.Errorf("New sorted its caller's artifacts")
	}
}

func TestEqualFreightIsEqualBytesInWhateverOrderItIsFound(t *testing.T) {
	all := freight.Artifacts{
		Images: []freight.Image{
			{RepoURL: "registry.example.com/a", Tag: "v1", Digest: digestA},
			{RepoURL: "registry.example.com/a", Tag: "v1", Digest: digestB},
			{RepoURL: "REGISTRY.example.com/a", Tag: "v1", Digest: digestB},
			{RepoURL: "registry.example.com/b", Tag: "v1", Digest: digestC},
		},
		Commits: []freight.Commit{
			{RepoURL: "https://git.example.com/a", ID: commitID, Tag: "v1"},
			{RepoURL: "https://git.example.com/a", ID: commitID, Tag: "v2"},
			{RepoURL: "https://git.example.com/a.git", ID: commitID, Tag: "v2"},
		},
		Charts: []freight.Chart{
			{RepoURL: "https://charts.example.com", Name: "a", Version: "1", Digest: digestA},
			{RepoURL: "https://charts.example.com", Name: "a", Version: "1", Digest: digestB},
			{RepoURL: "https://charts.example.com/", Name: "a", Version: "1", Digest: digestB},
		},
	}
	at := time.Unix(0, 0)
	want := marshal(t, freight.New("waybill/shop", "shop", all, at))
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		shuffled := freight.Artifacts{
			Images: slices.Clone(all.Images), Commits: slices.Clone(all.Commits), Charts: slices.Clone(all.Charts),
		}
		random.Shuffle(len(shuffled.Images), func(i, j int) {
			shuffled.Images[i], shuffled.Images[j] = shuffled.Images[j], shuffled.Images[i]
		})
		random.Shuffle(len(shuffled.Commits), func(i, j int) {
			shuffled.Commits[i], shuffled.Commits[j] = shuffled.Commits[j], shuffled.Commits[i]
		})
		random.Shuffle(len(shuffled.Charts), func(i, j int) {
			shuffled.Charts[i], shuffled.Charts[j] = shuffled.Charts[j], shuffled.Charts[i]
		})
		if diff := cmp.Diff(want, marshal(t, freight.New("waybill/shop", "shop", shuffled, at))); diff != "" {
			t.Fatalf("another order gives other bytes (-want +got):\n%s", diff)
		}
	}
}

func marshal(t *testing.T, f freight.Freight) string {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFreightThatIsStoredCanBeReadAgain(t *testing.T) {
	want := freight.New("waybill/shop", "shop", shop(), time.Unix(1e9, 0))
	var got freight.Freight
	if err := json.Unmarshal([]byte(marshal(t, want)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}

func TestArtifactsThatPinNothingAreRefused(t *testing.T) {
	tests := map[string]struct {
		artifacts freight.Artifacts
		want      string
	}{
		"one of each kind":             {shop(), ""},
		"a SHA-256 commit":             {freight.Artifacts{Commits: []freight.Commit{{RepoURL: "x", ID: strings.Repeat("0", 64)}}}, ""},
		"a chart without a digest":     {freight.Artifacts{Charts: []freight.Chart{{RepoURL: "x", Version: "1"}}}, ""},
		"none":                         {freight.Artifacts{}, "it pins no artifact"},
		"an image of no repository":    {freight.Artifacts{Images: []freight.Image{{Digest: digestA}}}, "an image has no repoURL"},
		"an image without a digest":    {freight.Artifacts{Images: []freight.Image{{RepoURL: "x"}}}, `image x has the digest "", want sha256: and 64 hex digits`},
		"a digest of another kind":     {freight.Artifacts{Images: []freight.Image{{RepoURL: "x", Digest: "sha512:" + strings.Repeat("a", 128)}}}, `image x has the digest "sha512:` + strings.Repeat("a", 128) + `", want sha256: and 64 hex digits`},
		"a digest in upper case":       {freight.Artifacts{Images: []freight.Image{{RepoURL: "x", Digest: "sha256:" + strings.Repeat("A", 64)}}}, `image x has the digest "sha256:` + strings.Repeat("A", 64) + `", want sha256: and 64 hex digits`},
		"a digest and a line break":    {freight.Artifacts{Images: []freight.Image{{RepoURL: "x", Digest: digestA + "\n"}}}, `image x has the digest "` + digestA + `\n", want sha256: and 64 hex digits`},
		"a commit of no repository":    {freight.Artifacts{Commits: []freight.Commit{{ID: commitID}}}, "a commit has no repoURL"},
		"a short commit":               {freight.Artifacts{Commits: []freight.Commit{{RepoURL: "x", ID: "4b1c27c"}}}, `commit "4b1c27c" of x is not a full object ID`},
		"a branch":                     {freight.Artifacts{Commits: []freight.Commit{{RepoURL: "x", ID: "main"}}}, `commit "main" of x is not a full object ID`},
		"a chart of no repository":     {freight.Artifacts{Charts: []freight.Chart{{Name: "db", Version: "1"}}}, `chart "db" has no repoURL or no version`},
		"a chart without a version":    {freight.Artifacts{Charts: []freight.Chart{{RepoURL: "x/", Name: "db"}}}, `chart "x/db" has no repoURL or no version`},
		"two names of one repository":  {freight.Artifacts{Images: []freight.Image{{RepoURL: "x", Digest: digestA, Subscription: "web"}, {RepoURL: "x", Digest: digestB, Subscription: "worker"}}}, ""},
		"one name of two repositories": {freight.Artifacts{Images: []freight.Image{{RepoURL: "x", Digest: digestA, Subscription: "web"}, {RepoURL: "y", Digest: digestB, Subscription: "web"}}}, ""},
		"an image's name twice":        {freight.Artifacts{Images: []freight.Image{{RepoURL: "nginx", Digest: digestA, Subscription: "web"}, {RepoURL: "docker.io/library/nginx", Digest: digestB, Subscription: "web"}}}, "image docker.io/library/nginx is pinned twice by the name web"},
		"a chart's name twice":         {freight.Artifacts{Charts: []freight.Chart{{RepoURL: "https://c", Name: "db", Version: "1", Subscription: "db"}, {RepoURL: "https://c/", Name: "db", Version: "2", Subscription: "db"}}}, "chart https://c//db is pinned twice by the name db"},
		"a chart with a wrong digest":  {freight.Artifacts{Charts: []freight.Chart{{RepoURL: "x", Version: "1", Digest: "md5:1"}}}, `chart x has the digest "md5:1", want sha256: and 64 hex digits`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := test.artifacts.Check(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Check = %q, want %q", got, test.want)
			}
		})
	}
}

func TestASummaryNamesEveryArtifactInAFewWords(t *testing.T) {
	tests := map[string]struct {
		artifacts freight.Artifacts
		want      string
	}{
		"nothing":                        {freight.Artifacts{}, ""},
		"one of each kind":               {shop(), "shop:v1.4.2, shop 4b1c27c, db 2.1.0"},
		"no tag":                         {freight.Artifacts{Images: []freight.Image{{RepoURL: "localhost:5000/a/shop", Digest: digestB}}}, "shop@bbbbbbb"},
		"a tagged commit":                {freight.Artifacts{Commits: []freight.Commit{{RepoURL: "git@example.com:shop.git", ID: commitID, Tag: "v2"}}}, "shop v2"},
		"commits with and without a tag": {freight.Artifacts{Commits: []freight.Commit{{RepoURL: "a", ID: commitID, Tag: "v2"}, {RepoURL: "b", ID: commitID}}}, "a v2, b 4b1c27c"},
		"several of one repository": {freight.Artifacts{Images: []freight.Image{
			{RepoURL: "r.example.com/shop", Tag: "v2", Digest: digestA, Subscription: "web"}, {RepoURL: "R.example.com/shop/", Tag: "v1", Digest: digestB, Subscription: "worker"},
			{RepoURL: "r.example.com/api", Tag: "v3", Digest: digestB, Subscription: "api"},
		}}, "shop:v2 (web), shop:v1 (worker), api:v3"},
		"a named chart": {freight.Artifacts{Charts: []freight.Chart{{RepoURL: "https://charts.example.com", Name: "db", Version: "1.0.0"}}}, "db 1.0.0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.artifacts.Summary(); got != test.want {
				t.Errorf("Summary = %q, want %q", got, test.want)
			}
		})
	}
}

func TestAShortIDIsAtMostSevenDigits(t *testing.T) {
	for id, want := range map[string]string{"": "", "7d3": "7d3", "7d3f0c1": "7d3f0c1", commitID: "4b1c27c"} {
		if got := freight.Short(id); got != want {
			t.Errorf("Short(%q) = %q, want %q", id, got, want)
		}
	}
}
