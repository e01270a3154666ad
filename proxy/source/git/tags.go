package git

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/waybill-cd/waybill/extension/expression"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
)

const (
	// maxDated is how many tags' dates are asked for.
	maxDated = 20_000
	// maxStep is how many tags are asked for at once.
	maxStep = 500
	// compareStep is of how many tags the commits are compared at once: of each, all
	// folders are sent. maxCompared is how many there are in one look.
	compareStep = 20
	maxCompared = 500
)

// tags finds the tags that come first.
func (l *look) tags(ctx context.Context) (source.Look, error) {
	rule, err := selection.ForTags(l.subscription)
	if err != nil {
		return source.Look{}, fmt.Errorf("the subscription to %s cannot select: %w", l.subscription.RepoURL, err)
	}
	names := rule.Select(slices.Collect(maps.Keys(l.Refs.Tags)))
	if len(names) == 0 {
		return source.Look{}, l.noTag()
	}
	return l.remembered(l.standing(names), func() error {
		if rule.Dated() {
			if names, err = l.byDate(ctx, names); err != nil {
				return err
			}
		}
		return l.judgeTags(ctx, names)
	})
}

// standing is what tags name, in one digest.
func (l *look) standing(names []string) (sum digest) {
	h := sha256.New()
	for _, name := range names {
		fmt.Fprintf(h, "%q %s\n", name, l.Refs.Tags[name].Object)
	}
	h.Sum(sum[:0])
	return sum
}

// byDate orders tags by when they were made, and leaves out those that are of no
// use.
func (l *look) byDate(ctx context.Context, names []string) ([]string, error) {
	if len(names) > maxDated {
		return nil, fmt.Errorf("%d tags of %s qualify, of more than %d the dates are not asked for: select fewer with allowTagsRegexes, "+
			"or use the strategy %s or %s", len(names), l.Refs.Repository, maxDated, pipeline.StrategySemVer, pipeline.StrategyLexical)
	}
	known, err := l.named(ctx, names)
	if err != nil {
		return nil, err
	}
	dated := make([]selection.Dated, 0, len(names))
	for _, name := range names {
		if tag := known[name]; tag.Commit.ID != "" {
			dated = append(dated, selection.Dated{Tag: name, At: tag.CreatedAt})
		} else {
			l.useless(name)
		}
	}
	selection.Newest(dated)
	ordered := make([]string, len(dated))
	for i, d := range dated {
		ordered[i] = d.Tag
	}
	return ordered, nil
}

// named tells what is known of tags, by their names.
func (l *look) named(ctx context.Context, names []string) (map[string]gitrepo.Tag, error) {
	objects := make([]string, len(names))
	for i, name := range names {
		objects[i] = l.Refs.Tags[name].Object
	}
	slices.Sort(objects)
	known, err := l.Tags(ctx, slices.Compact(objects))
	if err != nil {
		return nil, err
	}
	all := make(map[string]gitrepo.Tag, len(names))
	for _, name := range names {
		all[name] = known[l.Refs.Tags[name].Object]
	}
	return all, nil
}

func (l *look) useless(name string) {
	l.skip("tag %s of %s: it names no commit that can be read: move it to one, or leave it out with ignoreTagsRegexes", name, l.Refs.Repository)
}

// judgeTags offers tags of a list, the best first. How many it has to ask for is
// not known before: it is as many as are wanted, and then ever more.
func (l *look) judgeTags(ctx context.Context, names []string) error {
	const growth = 4
	step := l.subscription.DiscoveryLimit
	if !l.commits.Paths().Any() {
		step = max(step, compareStep)
	}
	for ; len(names) > 0 && !l.full() && !l.partial; step = min(step*growth, maxStep) {
		batch := names[:min(step, len(names))]
		names = names[len(batch):]
		if err := l.judgeBatch(ctx, batch); err != nil {
			return err
		}
	}
	if len(l.result.Offers) == 0 {
		return l.noTag()
	}
	return nil
}

func (l *look) judgeBatch(ctx context.Context, names []string) (err error) {
	if l.commits.FiltersTags() {
		if names, err = l.filtered(ctx, names); err != nil {
			return err
		}
	}
	if l.commits.Paths().Any() {
		return l.offerTags(ctx, names)
	}
	for few := range slices.Chunk(names, compareStep) {
		switch {
		case l.full():
			return nil
		case l.compared >= maxCompared:
			return l.pause()
		}
		if few, err = l.changing(ctx, few); err != nil {
			return err
		}
		if err := l.offerTags(ctx, few); err != nil {
			return err
		}
	}
	return nil
}

// pause ends a look that has compared enough. What it found comes first in any
// case; where that is nothing, the next look goes on.
func (l *look) pause() error {
	l.partial = true
	if len(l.result.Offers) > 0 {
		return nil
	}
	return &source.Incomplete{Err: fmt.Errorf("the commits of %d tags of %s were compared, and none of them qualifies: the next look goes on",
		l.compared, l.Refs.Repository)}
}

// offerTags offers tags, as many as are still wanted.
func (l *look) offerTags(ctx context.Context, names []string) error {
	known, err := l.named(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch tag := known[name]; {
		case tag.Commit.ID == "":
			l.useless(name)
		case !l.full():
			l.offer(tag.Commit, name)
		}
	}
	return nil
}

// filtered keeps the tags that the expressionFilter takes.
func (l *look) filtered(ctx context.Context, names []string) (kept []string, err error) {
	known, err := l.named(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		tag := known[name]
		if tag.Commit.ID == "" {
			l.useless(name)
			continue
		}
		takes, err := l.commits.TakesTag(expression.Tag{
			Tag: name, ID: tag.Commit.ID, Author: tag.Commit.Author.String(), Committer: tag.Commit.Committer.String(), Subject: tag.Commit.Subject,
			CreatorDate: tag.CreatedAt, Tagger: tag.Tagger.String(), Annotation: tag.Annotation,
		})
		switch {
		case err != nil:
			l.skip("tag %s of %s: its expressionFilter cannot be evaluated (%s): change it so that it can, for every tag", name, l.Refs.Repository, err)
		case takes:
			kept = append(kept, name)
		}
	}
	return kept, nil
}

// changing keeps the tags whose commits change what is asked for.
func (l *look) changing(ctx context.Context, names []string) (kept []string, err error) {
	takes := make(map[string]bool, len(names)) // by what the tags name
	var unknown []string
	for _, name := range names {
		object := l.Refs.Tags[name].Object
		if _, seen := takes[object]; seen {
			continue
		}
		var known bool
		if takes[object], known = l.known(object); !known {
			unknown = append(unknown, object)
		}
	}
	fresh, err := l.Changes(ctx, unknown, l.commits.Paths().Takes)
	if err != nil {
		return nil, err
	}
	l.compared += len(unknown)
	for object, taken := range fresh {
		l.judge(object, taken)
		takes[object] = taken
	}
	for _, name := range names {
		if takes[l.Refs.Tags[name].Object] {
			kept = append(kept, name)
		}
	}
	return kept, nil
}

// noTag tells that no tag qualifies, and what was wanted.
func (l *look) noTag() error {
	sub, repo, count := l.subscription, l.Refs.Repository, len(l.Refs.Tags)
	if count == 0 {
		return l.nothing("%s has no tags: push one", repo)
	}
	want := "any"
	if sub.CommitSelectionStrategy == pipeline.StrategySemVer {
		want = "a semantic version"
		if sub.Strict() {
			want = "a full semantic version"
		}
		if sub.SemverConstraint != "" {
			want += " within " + sub.SemverConstraint
		}
	}
	if len(sub.AllowTagsRegexes)+len(sub.IgnoreTagsRegexes) > 0 {
		want += " that allowTagsRegexes and ignoreTagsRegexes let through"
	}
	if l.subscription.ExpressionFilter != "" || !l.commits.Paths().Any() {
		want += " whose commit " + l.wanted()
	}
	return l.nothing("none of the %d tags of %s qualifies, wanted is %s: push one, or change the subscription", count, repo, want)
}
