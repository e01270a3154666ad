package chart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/chart/published"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

const (
	versionKeys = "version/" // of what is known of a version
	maxConfig   = 1 << 20    // bytes of a chart's metadata
)

func (s *Source) discoverOCI(ctx context.Context, at place, sub pipeline.ChartSubscription, rule selection.Rule) (found []published.Version, skipped []string, err error) {
	repo, err := s.repository(at)
	if err != nil {
		return nil, nil, err
	}
	end, err := repo.SignIn()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if errors.Is(err, ErrNothing) || errors.Is(err, registry.ErrPartial) {
			end(nil) // the sign-in is as good as it was
		} else {
			end(err)
		}
	}()
	tags, err := repo.Tags(ctx)
	if err != nil {
		return nil, nil, err
	}
	versions := make([]string, len(tags))
	for i, tag := range tags {
		versions[i] = chart.Version(tag)
	}
	if err := s.checkVanished(ctx, at, repo, versions, rule, sub.DiscoveryLimit); err != nil {
		return nil, nil, err
	}
	selected := rule.Select(versions)
	if len(selected) == 0 {
		return nil, nil, noVersion(sub, len(tags), nil)
	}
	selected = selected[:min(len(selected), sub.DiscoveryLimit)]
	resolved, flaws := make([]published.Version, len(selected)), make([]error, len(selected))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxAtOnce)
	for i, name := range selected {
		group.Go(func() error {
			v, err := s.resolve(ctx, at, repo, name)
			if lasting(err) {
				flaws[i], err = err, nil
			}
			resolved[i] = v
			return err
		})
	}
	if err = group.Wait(); err != nil {
		return nil, nil, err
	}
	for i := range selected {
		if flaws[i] != nil {
			skipped = append(skipped, flaws[i].Error())
		} else {
			found = append(found, resolved[i])
		}
	}
	return found, skipped, nil
}

// checkVanished makes sure of versions that were known, would be offered, and are
// not on the list any more; and forgets those that are gone.
func (s *Source) checkVanished(ctx context.Context, at place, repo *registry.Repository, listed []string, rule selection.Rule, limit int) error {
	known := map[string]bool{}
	s.options.Known.Each(at.scope, versionKeys, func(key string, _ []byte) { known[strings.TrimPrefix(key, versionKeys)] = true })
	for _, name := range listed {
		delete(known, name)
	}
	vanished := rule.Select(slices.Collect(maps.Keys(known)))
	if len(vanished) == 0 {
		return nil
	}
	tags, forgotten := make([]string, min(len(vanished), limit)), map[string][]byte{}
	for i := range tags {
		tags[i] = tagOf(vanished[i])
	}
	if err := repo.Gone(ctx, tags); err != nil {
		return err
	}
	for _, name := range vanished {
		forgotten[versionKeys+name] = nil
	}
	s.keep(at, forgotten)
	return nil
}

// tagOf is a version's tag, which has no plus signs (helm, pkg/registry).
func tagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

func (s *Source) repository(at place) (*registry.Repository, error) {
	return s.options.Registries.Repository(registry.Access{
		Namespace: at.scope.Namespace, RepoURL: strings.TrimPrefix(at.scope.Repository, schemeOCI), Insecure: at.scope.Insecure, Secret: at.scope.Secret,
		Credentials: authn.AuthConfig{Username: at.user, Password: at.password},
		Holds:       registry.Content{Noun: "chart", Remedy: remedy + ", with enableOCI"},
	})
}

// resolve tells what a version is: once, by its manifest and its metadata.
func (s *Source) resolve(ctx context.Context, at place, repo *registry.Repository, name string) (v published.Version, err error) {
	key, known := versionKeys+name, false
	s.options.Known.Read(at.scope, func(get func(string) []byte) { known = json.Unmarshal(get(key), &v) == nil })
	if known {
		return v, nil
	}
	manifest, err := repo.Manifest(ctx, tagOf(name))
	if err != nil {
		return v, flawOf(err, "version %s of chart %s went away while it was looked at", name, at.repoURL)
	}
	v, config, err := published.Manifest(name, manifest.Raw)
	if err != nil {
		return v, &flaw{fmt.Errorf("version %s of chart %s cannot be used (%w): push it again", name, at.repoURL, err)}
	}
	text, err := repo.Blob(ctx, config, maxConfig)
	if err != nil {
		return v, flawOf(err, "the metadata of version %s of chart %s cannot be read", name, at.repoURL)
	}
	if err := v.Describe(path.Base(at.scope.Repository), text); err != nil {
		return v, &flaw{fmt.Errorf("version %s of chart %s cannot be used (%w): push it again", name, at.repoURL, err)}
	}
	if text, err = json.Marshal(v); err != nil {
		return v, err
	}
	s.keep(at, map[string][]byte{key: text})
	return v, nil
}

// flawOf makes a flaw of an error of one tag or blob.
func flawOf(err error, format string, args ...any) error {
	if errors.Is(err, registry.ErrUnusable) {
		return &flaw{err}
	}
	for _, own := range []error{registry.ErrGone, registry.ErrTooLarge, registry.ErrInvalid} {
		if errors.Is(err, own) {
			return &flaw{fmt.Errorf(format+" (%w)", append(args, err)...)}
		}
	}
	return err
}

// layer gets an archive from a registry by its digest.
func (s *Source) layer(ctx context.Context, at place, pin freight.Chart) (archive []byte, err error) {
	repo, err := s.repository(at)
	if err != nil {
		return nil, err
	}
	end, err := repo.SignIn()
	if err != nil {
		return nil, err
	}
	defer func() { end(err) }()
	archive, err = repo.Blob(ctx, pin.Digest, maxArchive)
	if errors.Is(err, registry.ErrGone) {
		return nil, sentence.Fail(registry.ErrGone, err, "the archive of version %s of chart %s is not there any more: push it again, or promote other freight", pin.Version, at.repoURL)
	}
	return archive, err
}
