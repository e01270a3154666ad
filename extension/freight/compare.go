package freight

import (
	"slices"
)

// The kinds of artifacts.
const (
	KindImage  = "image"
	KindCommit = "commit"
	KindChart  = "chart"
)

// Version is one artifact's in one piece of freight.
type Version struct {
	// Name is what people call it: a tag, or a chart's version. Empty where there
	// is none.
	Name string `json:"name,omitempty"`
	// ID is what it is pinned by: a digest, or a commit's full ID.
	ID string `json:"id,omitempty"`
}

// Difference is what becomes of one artifact between two pieces of freight.
type Difference struct {
	// Kind is one of the constants above.
	Kind string `json:"kind"`
	// Artifact is its repository, and for a chart of an index its name after a
	// slash.
	Artifact string `json:"artifact"`
	// Subscription is the name of the subscription that found it, where that has
	// one.
	Subscription string `json:"subscription,omitempty"`
	// From and To are its versions; nil where the freight does not have it.
	From *Version `json:"from,omitempty"`
	To   *Version `json:"to,omitempty"`
	// Changed tells whether they differ.
	Changed bool `json:"changed"`
}

// Compare returns what becomes of each artifact, images first, then commits, then
// charts, each in the order of the newer freight and then of the older.
//
// Artifacts are the same when their repositories are and they were found by
// subscriptions of one name. A subscription that got its name between the two is
// the same too: what has a name is compared with what has none, where nothing of
// its own name is left. Of several that nothing tells apart, the first is compared
// with the first.
func Compare(from, to Artifacts) []Difference {
	older, younger := pinned(from), pinned(to)
	before := pairs(older, younger)
	var all []Difference
	for _, kind := range []string{KindImage, KindCommit, KindChart} {
		for i, v := range younger {
			if v.kind != kind {
				continue
			}
			d := Difference{Kind: kind, Artifact: v.artifact, Subscription: v.subscription, To: &v.Version}
			if before[i] >= 0 {
				d.From = &older[before[i]].Version
			}
			d.Changed = d.From == nil || *d.From != *d.To
			all = append(all, d)
		}
		for i, v := range older {
			if v.kind == kind && !slices.Contains(before, i) {
				all = append(all, Difference{Kind: kind, Artifact: v.artifact, Subscription: v.subscription, From: &v.Version, Changed: true})
			}
		}
	}
	return all
}

// pairs returns for each artifact of the younger freight the index of the older
// one that it is compared with, or -1.
func pairs(older, younger []pin) []int {
	before := make([]int, len(younger))
	for i := range before {
		before[i] = -1
	}
	match := func(same func(o, y pin) bool) {
		for i, y := range younger {
			for j, o := range older {
				if before[i] < 0 && o.kind == y.kind && o.repository == y.repository && same(o, y) && !slices.Contains(before, j) {
					before[i] = j
				}
			}
		}
	}
	match(func(o, y pin) bool { return o.subscription == y.subscription })
	match(func(o, y pin) bool { return o.subscription == "" || y.subscription == "" })
	return before
}

// pin is one artifact as it is compared.
type pin struct {
	Version
	kind         string
	artifact     string // for people
	repository   string // in its one spelling
	subscription string
}

func pinned(a Artifacts) []pin {
	all := make([]pin, 0, a.Len())
	for _, i := range a.Images {
		all = append(all, pin{Version{Name: i.Tag, ID: i.Digest}, KindImage, i.RepoURL, ImageRepository(i.RepoURL), i.Subscription})
	}
	for _, c := range a.Commits {
		all = append(all, pin{Version{Name: c.Tag, ID: c.ID}, KindCommit, c.RepoURL, GitRepository(c.RepoURL), c.Subscription})
	}
	for _, c := range a.Charts {
		all = append(all, pin{Version{Name: c.Version, ID: c.Digest}, KindChart, c.artifact(), c.repository(), c.Subscription})
	}
	return all
}

// artifact names the chart as it is written.
func (c Chart) artifact() string {
	if c.Name == "" {
		return c.RepoURL
	}
	return c.RepoURL + "/" + c.Name
}

// repository is the chart's one spelling.
func (c Chart) repository() string {
	if c.Name == "" {
		return ChartRepository(c.RepoURL)
	}
	return ChartRepository(c.RepoURL) + "/" + c.Name
}

// Between returns the freight of one origin that was found after the one and
// before the other, in the order of all: newest first. backwards tells that to
// is the older one.
func Between(all []Freight, from, to Freight) (between []Freight, backwards bool) {
	position := func(f Freight) int { return slices.IndexFunc(all, func(o Freight) bool { return o.ID == f.ID }) }
	first, last := position(to), position(from)
	if first < 0 || last < 0 {
		return nil, false
	}
	if first > last {
		first, last, backwards = last, first, true
	}
	for i := first + 1; i < last; i++ {
		if all[i].Origin == from.Origin {
			between = append(between, all[i])
		}
	}
	return between, backwards
}
