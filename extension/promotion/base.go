package promotion

import (
	"slices"

	"github.com/waybill-cd/waybill/extension/freight"
)

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

// Bases returns the IDs of the promotions whose trees a stage may be given again: in
// each repository that of the newest that wrote there, and of the newest that
// succeeded with freight that may return.
func Bases(all []Promotion, mayReturn func(freight string) bool) []string {
	type tree struct{ stage, repository, freight string }
	newest := map[tree]Promotion{}
	note := func(t tree, p Promotion) {
		if before, known := newest[t]; !known || p.Serial >= before.Serial {
			newest[t] = p
		}
	}
	for _, p := range all {
		for _, r := range p.Applications {
			if r.Base == "" {
				continue
			}
			t := tree{stage: p.Stage, repository: freight.GitRepository(r.RepoURL)}
			note(t, p)
			if t.freight = p.Freight; p.Phase == Succeeded && mayReturn(p.Freight) {
				note(t, p)
			}
		}
	}
	ids := make([]string, 0, len(newest))
	for _, p := range newest {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
