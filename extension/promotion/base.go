package promotion

import "github.com/waybill-cd/waybill/extension/freight"

// Base returns the commit whose tree the branch of a stage's own was given, in a
// repository, by the newest of its promotions that match and have written there;
// empty where none has. The branch may have had another name then.
func Base(all []Promotion, stage, repoURL string, match func(Promotion) bool) string {
	var (
		base   string
		newest int64
	)
	for _, p := range all {
		if p.Stage != stage || p.Serial < newest || !match(p) {
			continue
		}
		for _, r := range p.Applications {
			if r.Base != "" && freight.GitRepository(r.RepoURL) == freight.GitRepository(repoURL) {
				base, newest = r.Base, p.Serial
			}
		}
	}
	return base
}
