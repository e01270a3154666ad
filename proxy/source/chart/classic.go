package chart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/loopback"
	"github.com/waybill-cd/waybill/proxy/sentence"
	"github.com/waybill-cd/waybill/proxy/source/chart/published"
	"github.com/waybill-cd/waybill/proxy/source/registry"
)

// known is what is kept of one chart in an index.
type known struct {
	// ETag and Modified are the index's, to ask whether it has changed.
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	// Absent tells that the chart is not there, and Charts a few that are.
	Absent bool     `json:"absent,omitempty"`
	Charts []string `json:"charts,omitempty"`
	published.Listing
}

func keyOf(name string) string { return "chart/" + name }

func (s *Source) known(at place, name string) (k known, found bool) {
	s.options.Known.Read(at.scope, func(get func(string) []byte) {
		if text := get(keyOf(name)); text != nil {
			found = json.Unmarshal(text, &k) == nil
		}
	})
	return k, found
}

func (s *Source) discoverClassic(ctx context.Context, at place, sub pipeline.ChartSubscription, rule selection.Rule) ([]published.Version, []string, error) {
	end, err := at.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	listed, err := s.list(ctx, at, sub.Name, false)
	if err != nil {
		return nil, nil, err
	}
	byVersion := map[string]published.Version{}
	for _, v := range slices.Backward(listed.Versions) { // of two that are equal the first counts
		byVersion[v.Version] = v
	}
	names := make([]string, 0, len(byVersion))
	for name := range byVersion {
		names = append(names, name)
	}
	selected := rule.Select(names)
	if len(selected) == 0 {
		return nil, nil, noVersion(sub, len(names), listed.Broken)
	}
	skipped := listed.Broken
	var found []published.Version
	for _, name := range selected[:min(len(selected), sub.DiscoveryLimit)] {
		v := byVersion[name]
		if v.Digest == "" {
			v.Digest, err = s.digest(ctx, at, sub.Name, v)
			if lasting(err) {
				skipped = append(skipped, err.Error())
				continue
			}
			if err != nil {
				return nil, nil, err
			}
		}
		found = append(found, v)
	}
	return found, skipped, nil
}

// list returns what an index holds of a chart. An index that has not changed since
// it was last read is not sent again; unless fresh, which asks for it whatever is
// known.
func (s *Source) list(ctx context.Context, at place, name string, fresh bool) (published.Listing, error) {
	at.want(name)
	last, seen := s.known(at, name)
	var condition http.Header
	if seen && !fresh {
		condition = last.condition()
	}
	answer, err := s.get(ctx, at, indexURL(at.repoURL), maxIndex, condition)
	switch {
	case errors.Is(err, errNotFound):
		return published.Listing{}, sentence.Fail(registry.ErrNotFound, err, "there is no chart repository at %s, which has no index.yaml: check repoURL", at.repoURL)
	case err != nil:
		return published.Listing{}, err
	case answer.status == http.StatusNotModified && len(condition) == 0: // it was not asked whether
		return published.Listing{}, sentence.Fail(registry.ErrUnreachable, nil, "the chart repository %s answers with status 304 for an index that it has not sent before: check the repository", at.repoURL)
	case answer.status == http.StatusNotModified && last.Absent:
		return published.Listing{}, noChart(at.repoURL, name, last.Charts)
	case answer.status == http.StatusNotModified:
		return last.Listing, nil
	}
	all, names, err := published.Index(answer.body, at.wanted)
	if err != nil {
		return published.Listing{}, sentence.Fail(registry.ErrUnreachable, err, "%s is not the index of a chart repository (%s): check repoURL", indexURL(at.repoURL), err)
	}
	values := map[string][]byte{}
	for wanted := range at.wanted {
		found, there := all[wanted]
		k := known{ETag: answer.header.Get("ETag"), Modified: answer.header.Get("Last-Modified"), Listing: found, Absent: !there}
		if k.Absent {
			k.Charts = names[:min(len(names), few+1)]
		}
		if values[keyOf(wanted)], err = json.Marshal(k); err != nil {
			return published.Listing{}, err
		}
		s.forgetDigests(at, wanted, found, values)
	}
	s.keep(at, values)
	found, there := all[name]
	if !there {
		return published.Listing{}, noChart(at.repoURL, name, names)
	}
	return found, nil
}

// maxWanted bounds how many charts are read from an index that somebody else asks
// for.
const maxWanted = 100

func (s *shared) want(name string) {
	if len(s.wanted) >= maxWanted && !s.wanted[name] {
		clear(s.wanted)
	}
	s.wanted[name] = true
}

func (k known) condition() http.Header {
	h := http.Header{}
	switch {
	case k.ETag != "":
		h.Set("If-None-Match", k.ETag)
	case k.Modified != "":
		h.Set("If-Modified-Since", k.Modified)
	}
	return h
}

// digestKeys begin the keys of the digests of a chart's archives that were read.
func digestKeys(name string) string { return "digest/" + name + "/" }

func digestKey(name string, v published.Version) string {
	return digestKeys(name) + v.Version + "/" + v.URL
}

// forgetDigests drops the digests of the archives that a chart's listing does not
// name any more.
func (s *Source) forgetDigests(at place, name string, listed published.Listing, values map[string][]byte) {
	named := make(map[string]bool, len(listed.Versions))
	for _, v := range listed.Versions {
		named[digestKey(name, v)] = true
	}
	s.options.Known.Each(at.scope, digestKeys(name), func(key string, _ []byte) {
		if !named[key] {
			values[key] = nil
		}
	})
}

// digest reads an archive whose digest the index does not name, once.
func (s *Source) digest(ctx context.Context, at place, name string, v published.Version) (digest string, err error) {
	key := digestKey(name, v)
	s.options.Known.Read(at.scope, func(get func(string) []byte) { digest = string(get(key)) })
	if digest != "" {
		return digest, nil
	}
	archive, err := s.download(ctx, at, name, v)
	if err != nil {
		return "", err
	}
	digest = chart.Digest(archive)
	s.keep(at, map[string][]byte{key: []byte(digest)})
	return digest, nil
}

// maxArchive is the size of an archive, in bytes: Helm takes no larger file into a
// chart (helm, chart/loader, MaxDecompressedFileSize).
const maxArchive = 5 << 20

// download gets the archive of a version. The error is lasting where this version
// alone is to blame.
func (s *Source) download(ctx context.Context, at place, name string, v published.Version) ([]byte, error) {
	from, err := archiveURL(at.repoURL, v.URL)
	if err != nil {
		return nil, &flaw{fmt.Errorf("%s %s: %w", name, v.Version, err)}
	}
	answer, err := s.get(ctx, at, from, maxArchive, nil)
	switch {
	case errors.Is(err, errNotFound):
		return nil, &flaw{fmt.Errorf("the archive of %s %s is not at %s: publish it again", name, v.Version, shownURL(from))}
	case errors.Is(err, registry.ErrTooLarge):
		return nil, &flaw{fmt.Errorf("the archive of %s %s is larger than %d MiB, and Helm takes no such file into a chart: publish a smaller one", name, v.Version, maxArchive>>20)}
	case err != nil:
		return nil, err
	}
	return answer.body, nil
}

// shownURL is the URL of an archive as people see it: its parameters may sign it.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "another address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return sentence.OneLine(u.String())
}

func indexURL(repoURL string) string { return resolve(repoURL, "index.yaml") }

// resolve finds what a repository names relative to its own URL, whose query stays
// (helm, pkg/repo, ResolveReferenceURL).
func resolve(repoURL, name string) string {
	base, err := url.Parse(strings.TrimSpace(repoURL))
	if err != nil {
		return repoURL
	}
	base.Path, base.RawPath, base.User, base.Fragment = strings.TrimRight(base.Path, "/")+"/", "", nil, ""
	at := base.ResolveReference(&url.URL{Path: name})
	at.RawQuery = base.RawQuery
	return at.String()
}

// archiveURL returns the URL of an archive. A repository that is not on this
// machine has nothing to fetch from it.
func archiveURL(repoURL, written string) (string, error) {
	repo, err := url.Parse(strings.TrimSpace(repoURL))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(written)
	if err != nil || written == "" {
		return "", errors.New("its index names no archive that could be fetched: publish it again")
	}
	if !u.IsAbs() && u.Host == "" {
		if strings.HasPrefix(u.Path, "/") {
			u.Scheme, u.Host = repo.Scheme, repo.Host
			return u.String(), nil
		}
		at := resolve(repoURL, u.Path)
		if u.RawQuery != "" {
			at, _, _ = strings.Cut(at, "?")
			at += "?" + u.RawQuery
		}
		return at, nil
	}
	u.User = nil
	local, ownToo := loopback.Is(u.Hostname()), loopback.Is(repo.Hostname())
	if fetched := u.Scheme == "https" && !local || local && ownToo && (u.Scheme == "https" || u.Scheme == "http"); !fetched {
		return "", fmt.Errorf("its archive is at %s, which is not fetched: serve it over HTTPS", shownURL(written))
	}
	return u.String(), nil
}
