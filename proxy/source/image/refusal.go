package image

import (
	"encoding/json"
	"strings"
	"time"
)

// refusal is a tag that is there and cannot be used, such as where its registry
// withholds what is not scanned yet. That may end at any time, and nobody tells:
// such a tag is asked for again, at first by the next look, later the more seldom
// the longer it lasts.
type refusal struct {
	First time.Time `json:"f"`
	Last  time.Time `json:"l"`
	Why   string    `json:"w"`
}

// maxRefusal is how long a tag that cannot be used is not asked for at most.
const maxRefusal = time.Hour

const refusalKeys = "refusal/"

func (k known) refusalKey(tag string) string { return refusalKeys + tag + "/" + k.platform }

// due tells that it is time to ask again. A clock that went back does not put that
// off.
func (r refusal) due(now time.Time) bool {
	since := now.Sub(r.Last)
	return since < 0 || since >= min(r.Last.Sub(r.First), maxRefusal)
}

// refused returns what is known of a tag that could not be used; nil for nothing.
func (k known) refused(get func(string) []byte, tag string) *refusal {
	value := get(k.refusalKey(tag))
	if value == nil {
		return nil
	}
	var r refusal
	if json.Unmarshal(value, &r) != nil {
		return nil
	}
	return &r
}

// encodeRefusal adds to a batch that a tag cannot be used, as before or for the
// first time.
func (k known) encodeRefusal(batch map[string][]byte, tag, why string, before *refusal) {
	r := refusal{First: k.now().UTC(), Why: why}
	r.Last = r.First
	if before != nil && before.First.Before(r.First) {
		r.First = before.First
	}
	if value, err := json.Marshal(r); err == nil { // or it is asked for again
		batch[k.refusalKey(tag)] = value
	}
}

// tagOfRefusal is the tag of a key; platforms hold slashes, tags none.
func tagOfRefusal(key string) string {
	tag, _, _ := strings.Cut(strings.TrimPrefix(key, refusalKeys), "/")
	return tag
}
