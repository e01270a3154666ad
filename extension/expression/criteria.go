package expression

import (
	"fmt"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Criteria is what the freightCreationCriteria of a warehouse see: functions
// that find an artifact of the candidate by its repository and, where that is not
// enough, by the name of the subscription or chart. They are named as Kargo's.
type Criteria struct {
	ImageFrom  func(repoURL string, name ...string) (freight.Image, error) `expr:"imageFrom"`
	CommitFrom func(repoURL string, name ...string) (CommitFound, error)   `expr:"commitFrom"`
	ChartFrom  func(repoURL string, name ...string) (freight.Chart, error) `expr:"chartFrom"`
}

// CommitFound is a commit of the candidate, with what is known about it.
type CommitFound struct {
	RepoURL, ID, Tag, Subject, Author string
}

// CompileCriteria compiles the freightCreationCriteria of a warehouse.
func CompileCriteria(text string) (Condition[Criteria], error) { return compile[Criteria](text) }

// Of returns the criteria's view of what would become freight.
func Of(artifacts freight.Artifacts, details []freight.Detail) Criteria {
	return Criteria{
		ImageFrom: func(repoURL string, name ...string) (freight.Image, error) {
			for _, i := range artifacts.Images {
				if freight.ImageRepository(i.RepoURL) == freight.ImageRepository(repoURL) && named(name, i.Subscription) {
					return i, nil
				}
			}
			return freight.Image{}, lacks("image", repoURL)
		},
		CommitFrom: func(repoURL string, name ...string) (CommitFound, error) {
			for _, c := range artifacts.Commits {
				if freight.GitRepository(c.RepoURL) == freight.GitRepository(repoURL) && named(name, c.Subscription) {
					found := CommitFound{RepoURL: c.RepoURL, ID: c.ID, Tag: c.Tag}
					for _, d := range details {
						if d.Kind == freight.KindCommit && d.RepoURL == c.RepoURL && d.Subscription == c.Subscription {
							found.Subject, found.Author = d.Subject, d.Author
						}
					}
					return found, nil
				}
			}
			return CommitFound{}, lacks("commit", repoURL)
		},
		ChartFrom: func(repoURL string, name ...string) (freight.Chart, error) {
			for _, c := range artifacts.Charts {
				if freight.ChartRepository(c.RepoURL) == freight.ChartRepository(repoURL) && (named(name, c.Name) || named(name, c.Subscription)) {
					return c, nil
				}
			}
			return freight.Chart{}, lacks("chart", repoURL)
		},
	}
}

func named(wanted []string, name string) bool { return len(wanted) == 0 || wanted[0] == name }

func lacks(kind, repoURL string) error {
	return fmt.Errorf("the warehouse has no %s of %s: name a repository that it subscribes to", kind, repoURL)
}
