package pipeline

import "github.com/waybill-cd/waybill/extension/freight"

// Offered names the subscription and its repository, as written, for what it
// offers.
func (s Subscription) Offered() freight.Offered {
	switch {
	case s.Git != nil:
		return freight.Offered{Subscription: s.Name, Kind: freight.KindCommit, RepoURL: s.Git.RepoURL}
	case s.Chart != nil:
		return freight.Offered{Subscription: s.Name, Kind: freight.KindChart, RepoURL: s.Chart.RepoURL, Name: s.Chart.Name}
	case s.Image != nil:
		return freight.Offered{Subscription: s.Name, Kind: freight.KindImage, RepoURL: s.Image.RepoURL}
	}
	return freight.Offered{Subscription: s.Name}
}
