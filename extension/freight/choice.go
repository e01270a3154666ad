package freight

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// Offered is what one subscription of a warehouse offers.
type Offered struct {
	// Subscription is its name, where it has one.
	Subscription string
	// Kind is one of the kinds of artifacts, see [KindImage].
	Kind    string
	RepoURL string
	// Name is that of a chart in a classic repository.
	Name   string
	Offers []Offer
}

// String names the subscription as people do: its name, else its repository.
func (o Offered) String() string {
	if o.Subscription != "" {
		return o.Subscription
	}
	return o.source()
}

func (o Offered) source() string {
	return strings.TrimSuffix(o.RepoURL+"/"+o.Name, "/")
}

// Called tells whether a word means the subscription: its name, its repository,
// or the last part of that. As hosts do, people may or may not write what ends a
// Git repository's path.
func (o Offered) Called(word string) bool {
	last := word
	if o.Kind == KindCommit {
		last = strings.TrimSuffix(word, ".git")
	}
	return word != "" && (word == o.Subscription || last == cmp.Or(o.Name, base(o.RepoURL)) ||
		repository(o.Kind, word) == repository(o.Kind, o.source()))
}

// Choice names one version of what a subscription offers.
type Choice struct {
	// Subscription is the name of the subscription, where it has one; else RepoURL,
	// and for a chart in a classic repository Name, tell which one is meant.
	Subscription string `json:"subscription,omitempty"`
	RepoURL      string `json:"repoURL,omitempty"`
	Name         string `json:"name,omitempty"`
	// Version is a tag, a chart's version, or the ID of a commit or at least its
	// first 7 digits.
	Version string `json:"version"`
}

func (c Choice) String() string {
	return cmp.Or(c.Subscription, strings.TrimSuffix(c.RepoURL+"/"+c.Name, "/"))
}

func (c Choice) means(o Offered) bool {
	if c.Subscription == "" && c.RepoURL == "" {
		return false
	}
	return (c.Subscription == "" || c.Subscription == o.Subscription) && (c.Name == "" || c.Name == o.Name) &&
		(c.RepoURL == "" || repository(o.Kind, c.RepoURL) == repository(o.Kind, o.RepoURL))
}

func repository(kind, repoURL string) string {
	switch kind {
	case KindImage:
		return ImageRepository(repoURL)
	case KindCommit:
		return GitRepository(repoURL)
	default:
		return ChartRepository(repoURL)
	}
}

// Choose takes the offers that are chosen, which must be exactly one of each
// subscription, in the order of the subscriptions.
func Choose(all []Offered, choices []Choice) ([]Offer, error) {
	chosen := make([]*Offer, len(all))
	for _, c := range choices {
		i, err := meant(all, c)
		if err != nil {
			return nil, err
		}
		if chosen[i] != nil {
			return nil, fmt.Errorf("%s is chosen twice: choose one version of it", all[i])
		}
		if chosen[i], err = all[i].offer(c.Version); err != nil {
			return nil, err
		}
	}
	offers := make([]Offer, len(all))
	for i, o := range chosen {
		if o == nil {
			return nil, fmt.Errorf("nothing is chosen of %s: freight holds one version of each subscription", all[i])
		}
		offers[i] = *o
	}
	return offers, nil
}

// meant returns the index of the subscription that a choice means.
func meant(all []Offered, c Choice) (int, error) {
	found := -1
	for i, o := range all {
		if !c.means(o) {
			continue
		}
		if found >= 0 {
			return -1, fmt.Errorf("%s could be %s or %s: name the subscription", c, all[found].label(), o.label())
		}
		found = i
	}
	if found >= 0 {
		return found, nil
	}
	if c.String() == "" {
		return -1, errors.New("a choice names neither a subscription nor a repository")
	}
	return -1, fmt.Errorf("the warehouse does not subscribe to %s: name one of %s", c, list(all, Offered.String))
}

// label tells subscriptions to one repository apart.
func (o Offered) label() string {
	if o.Subscription == "" {
		return o.Kind + " " + o.source()
	}
	return o.Subscription
}

// minCommit is the shortest beginning of a commit's ID that chooses it.
const minCommit = shortLength

// offer returns what a version names among the offers.
func (o Offered) offer(version string) (*Offer, error) {
	var found []*Offer
	for i := range o.Offers {
		offer := &o.Offers[i]
		if offer.named() == version && version != "" {
			return offer, nil
		}
		if offer.Commit != nil && len(version) >= minCommit && strings.HasPrefix(offer.Commit.ID, version) {
			found = append(found, offer)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%q could be %s or %s of %s: name the tag, or more digits", version, found[0].named(), found[1].named(), o)
	case version == "":
		return nil, fmt.Errorf("no version of %s is named", o)
	default:
		return nil, fmt.Errorf("%s does not offer %q now: it offers %s", o, version, list(o.Offers, Offer.Version))
	}
}

// named is what names the offer and no other: a short ID may be that of two
// commits.
func (o Offer) named() string {
	if o.Commit != nil && o.Commit.Tag == "" {
		return o.Commit.ID
	}
	return o.Version()
}

// maxListed bounds what a sentence lists.
const maxListed = 5

func list[T any](all []T, name func(T) string) string {
	var names []string
	for i, one := range all {
		if i == maxListed {
			names = append(names, fmt.Sprintf("%d more", len(all)-maxListed))
			break
		}
		names = append(names, name(one))
	}
	return cmp.Or(strings.Join(names, ", "), "nothing")
}

// VersionIn returns the version of the subscription in freight, by which the same
// offer is chosen; empty where the freight holds none.
func (o Offered) VersionIn(a Artifacts) string {
	is := func(kind, subscription, repoURL string) bool {
		return o.Kind == kind && o.Subscription == subscription && repository(kind, o.RepoURL) == repository(kind, repoURL)
	}
	for _, i := range a.Images {
		if is(KindImage, i.Subscription, i.RepoURL) {
			return i.Tag
		}
	}
	for _, c := range a.Commits {
		if is(KindCommit, c.Subscription, c.RepoURL) {
			return cmp.Or(c.Tag, c.ID)
		}
	}
	for _, c := range a.Charts {
		if is(KindChart, c.Subscription, c.RepoURL) && c.Name == o.Name {
			return c.Version
		}
	}
	return ""
}
