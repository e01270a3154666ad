package image

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/source/cache"
)

// known is what is known of a repository, under three kinds of keys: what a tag
// stands for, what a digest does on a platform, and why a tag cannot be used there.
type known struct {
	cache    *cache.Cache
	scope    cache.Scope
	platform string
	now      func() time.Time
}

const (
	tagKeys    = "tag/"
	digestKeys = "digest/"
)

func (k known) digestKey(digest string) string { return digestKeys + digest + "/" + k.platform }

// fill fills in the results of the tags that are known, and returns the indices
// of those that have to be asked for. Where tags move, those are all; what each
// stood for is filled in nevertheless. Of one that could not be used, it tells so
// until it is time to ask again.
func (k known) fill(tags []string, results []result, moving bool) (unknown []int) {
	seen := make([]bool, len(tags))
	k.cache.Read(k.scope, func(get func(string) []byte) {
		for i, tag := range tags {
			if digest := get(tagKeys + tag); digest != nil {
				results[i].digest = string(digest)
				f, ok := decode(get(k.digestKey(string(digest))))
				results[i].facts, seen[i] = f, ok && !moving
			}
			if seen[i] || moving {
				continue
			}
			if r := k.refused(get, tag); r != nil {
				results[i].refusal = r
				if !r.due(k.now()) {
					results[i].unusable, seen[i] = r.Why, true
				}
			}
		}
	})
	for i := range tags {
		if !seen[i] {
			unknown = append(unknown, i)
		}
	}
	return unknown
}

// facts returns what is known of a digest.
func (k known) facts(digest string) (f facts, ok bool) {
	k.cache.Read(k.scope, func(get func(string) []byte) { f, ok = decode(get(k.digestKey(digest))) })
	return f, ok
}

func (k known) has(digest string) bool {
	_, ok := k.facts(digest)
	return ok
}

func decode(value []byte) (f facts, ok bool) {
	return f, value != nil && json.Unmarshal(value, &f) == nil
}

// encode adds what a tag stands for to a batch of keys and values.
func (k known) encode(batch map[string][]byte, tag string, r result) {
	value, err := json.Marshal(r.facts)
	if err != nil {
		return // a year of more than four digits: it is asked for again
	}
	batch[tagKeys+tag] = []byte(r.digest)
	batch[k.digestKey(r.digest)] = value
}

func (k known) write(batch map[string][]byte) error { return k.cache.Write(k.scope, batch) }

// without returns the known tags that are not on a list, and the keys of what is
// known of such that could not be used.
func (k known) without(listed []string) (vanished, refusals []string) {
	on := make(map[string]struct{}, len(listed))
	for _, tag := range listed {
		on[tag] = struct{}{}
	}
	k.cache.Each(k.scope, tagKeys, func(key string, _ []byte) {
		tag := strings.TrimPrefix(key, tagKeys)
		if _, ok := on[tag]; !ok {
			vanished = append(vanished, tag)
		}
	})
	k.cache.Each(k.scope, refusalKeys, func(key string, _ []byte) {
		if _, ok := on[tagOfRefusal(key)]; !ok {
			refusals = append(refusals, key)
		}
	})
	return vanished, refusals
}

// byDate orders known tags, the newest first.
func (k known) byDate(tags []string) []string {
	results := make([]result, len(tags))
	k.fill(tags, results, false)
	dated := make([]selection.Dated, len(tags))
	for i, tag := range tags {
		dated[i] = selection.Dated{Tag: tag, At: results[i].facts.Created}
	}
	selection.Newest(dated)
	ordered := make([]string, len(tags))
	for i, d := range dated {
		ordered[i] = d.Tag
	}
	return ordered
}

// forget drops tags, and what is known of digests that no tag stands for then.
func (k known) forget(tags []string) error {
	batch := make(map[string][]byte, len(tags))
	for _, tag := range tags {
		batch[tagKeys+tag] = nil
	}
	used := map[string]bool{}
	k.cache.Each(k.scope, tagKeys, func(key string, digest []byte) {
		if _, dropped := batch[key]; !dropped {
			used[string(digest)] = true
		}
	})
	k.cache.Each(k.scope, digestKeys, func(key string, _ []byte) {
		digest, _, _ := strings.Cut(strings.TrimPrefix(key, digestKeys), "/")
		if !used[digest] {
			batch[key] = nil
		}
	})
	return k.cache.Write(k.scope, batch)
}

// isReferrer tells that a tag is none that people push: the OCI distribution
// specification keeps signatures and attestations under such tags.
func isReferrer(tag string) bool {
	rest, ok := strings.CutPrefix(tag, "sha256-")
	const hexDigits = 64
	return ok && len(rest) >= hexDigits && !slices.ContainsFunc([]byte(rest[:hexDigits]), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f')
	})
}
