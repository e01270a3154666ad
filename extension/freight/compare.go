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
	// From and To are its versions; nil where the freight does not have it.
	From *Version `json:"from,omitempty"`
	To   *Version `json:"to,omitempty"`
	// Changed tells whether they differ.
	Changed bool `json:"changed"`
}

// Compare returns what becomes of each artifact, images first, then commits, then
// charts, each in the order of the newer freight and then of the older. Artifacts
// are the same when their repositories are; of several from one repository, the
// first is compared with the first.
func Compare(from, to Artifacts) []Difference {
	older, younger := versions(from), versions(to)
	var all []Difference
	for _, kind := range []string{KindImage, KindCommit, KindChart} {
		for _, v := range younger {
			if v.kind != kind {
				continue
			}
			d := Difference{Kind: kind, Artifact: v.artifact, To: &v.Version}
			if i := slices.IndexFunc(older, func(o named) bool { return o.key == v.key }); i >= 0 {
				d.From = &older[i].Version
			}
			d.Changed = d.From == nil || *d.From != *d.To
			all = append(all, d)
		}
		for _, v := range older {
			if v.kind == kind && !slices.ContainsFunc(younger, func(y named) bool { return y.key == v.key }) {
				all = append(all, Difference{Kind: kind, Artifact: v.artifact, From: &v.Version, Changed: true})
			}
		}
	}
	return all
}

type key struct {
	kind, artifact string
	number         int
}

type named struct {
	Version
	kind, artifact string
	key            key
}

func versions(a Artifacts) []named {
	var all []named
	count := map[key]int{}
	add := func(kind, artifact, same string, v Version) {
		k := key{kind: kind, artifact: same}
		n := count[k]
		count[k]++
		k.number = n
		all = append(all, named{v, kind, artifact, k})
	}
	for _, i := range a.Images {
		add(KindImage, i.RepoURL, ImageRepository(i.RepoURL), Version{Name: i.Tag, ID: i.Digest})
	}
	for _, c := range a.Commits {
		add(KindCommit, c.RepoURL, GitRepository(c.RepoURL), Version{Name: c.Tag, ID: c.ID})
	}
	for _, c := range a.Charts {
		artifact, same := c.RepoURL, ChartRepository(c.RepoURL)
		if c.Name != "" {
			artifact, same = artifact+"/"+c.Name, same+"/"+c.Name
		}
		add(KindChart, artifact, same, Version{Name: c.Version, ID: c.Digest})
	}
	return all
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
