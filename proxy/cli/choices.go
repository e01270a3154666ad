package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// begin returns the freight to begin with, nil where --from names none, and fills
// in the warehouse: freight knows the one that it is of.
func (c *command) begin(ctx context.Context, r *route, a *assembly) (from *freight.Freight, err error) {
	if a.from == "" {
		a.warehouse, err = c.warehouse(ctx, r, a.warehouse)
		return nil, err
	}
	found, err := findFreight(ctx, r, a.from)
	if a.warehouse != "" && unclear(err) {
		// What could be freight of several warehouses may be clear in this one.
		found, err = findListed(ctx, r, a.from, a.warehouse)
	}
	if err != nil {
		return nil, err
	}
	from = &found[0].Value.Freight
	if a.warehouse != "" && a.warehouse != from.Origin {
		return nil, usage("freight %s is of warehouse %s, not of %s: leave out --warehouse, or name other freight with --from",
			a.from, from.Origin, a.warehouse)
	}
	a.warehouse = from.Origin
	return from, nil
}

// unclear tells whether a name was looked for, and is of no freight or of several.
func unclear(err error) bool {
	var problem *client.ProblemError
	if errors.As(err, &problem) {
		return problem.Type == v1.ProblemNotFound
	}
	var unfound *notFoundError
	return errors.As(err, &unfound)
}

// choicesOf returns what the flags choose, by the names that the proxy takes: the
// versions of --artifact, and for what they leave out those of --from.
func choicesOf(all []freight.Offered, from *freight.Freight, artifacts []string) ([]freight.Choice, error) {
	versions := make([]string, len(all))
	for _, artifact := range artifacts {
		i, version, err := chosenBy(all, artifact)
		if err != nil {
			return nil, err
		}
		if versions[i] != "" {
			return nil, usage("--artifact chooses %s twice, %s and %s: choose one version of it", all[i], versions[i], version)
		}
		versions[i] = version
	}
	var choices []freight.Choice
	for i, o := range all {
		if versions[i] == "" && from != nil {
			versions[i] = o.VersionIn(from.Artifacts)
		}
		if versions[i] != "" {
			choices = append(choices, freight.Choice{Subscription: o.Subscription, RepoURL: o.RepoURL, Name: o.Name, Version: versions[i]})
		}
	}
	return choices, nil
}

// chosenBy reads one --artifact. A version holds no equals sign; a URL may.
func chosenBy(all []freight.Offered, artifact string) (index int, version string, err error) {
	at := strings.LastIndex(artifact, "=")
	if at < 1 || at == len(artifact)-1 {
		return 0, "", usage("--artifact %q is not <subscription or repository>=<version>", artifact)
	}
	word, version := artifact[:at], artifact[at+1:]
	found := calledBy(all, word)
	switch len(found) {
	case 1:
		return found[0], version, nil
	case 0:
		return 0, "", usage("the warehouse has no subscription %s: it has %s", word, join(", ", all, freight.Offered.String))
	default:
		return 0, "", usage("--artifact %s could be %s: write all of its name", word, join(" or ", found, func(i int) string { return all[i].String() }))
	}
}

// calledBy returns the indices of the subscriptions that a word may mean. One that
// is all of a name means that one, though it be the last part of another's.
func calledBy(all []freight.Offered, word string) (found []int) {
	for i, o := range all {
		if o.String() == word {
			return []int{i}
		}
		if o.Called(word) {
			found = append(found, i)
		}
	}
	return found
}
