package freight

import "fmt"

// CommitOf returns the commit of a repository that freight pins, one piece of each
// origin; found is false where none does.
//
// An Application is rendered from one commit of its repository. So two commits of
// it are an error, which names the subscriptions that found them.
func CommitOf(all []Freight, repoURL string) (commit Commit, found bool, err error) {
	repository := GitRepository(repoURL)
	var by string
	for _, f := range all {
		for _, c := range f.Commits {
			if GitRepository(c.RepoURL) != repository {
				continue
			}
			if found && c.ID != commit.ID {
				return Commit{}, false, fmt.Errorf("the freight pins two commits of %s, %s (%s) and %s (%s), and an Application is rendered from one: keep one of these subscriptions in what the stage requests",
					repoURL, Short(commit.ID), by, Short(c.ID), c.foundBy(f))
			}
			if !found {
				commit, found, by = c, true, c.foundBy(f)
			}
		}
	}
	return commit, found, nil
}

// foundBy names the subscription that found the commit.
func (c Commit) foundBy(f Freight) string {
	if c.Subscription == "" {
		return "a subscription of warehouse " + f.Origin
	}
	return "subscription " + c.Subscription + " of warehouse " + f.Origin
}
