package refusal

import (
	"regexp"
	"strings"
	"sync"
)

// hidden stands for what is not told.
const hidden = "…"

// quotation is a place where a library quotes its input, and what stays of it.
type quotation struct {
	pattern *regexp.Regexp
	stays   string
}

// quotations are those that may hold secrets. They are compiled for errors alone:
// a render that succeeds needs none of them.
var quotations = sync.OnceValue(func() []quotation {
	return []quotation{
		// go.yaml.in/yaml, v2 to v4, and sigs.k8s.io/yaml above it.
		{regexp.MustCompile("(?s)cannot (unmarshal|decode|construct) !!(\\w+) `.*?`( (?:into|as)\\b|$)"), "cannot $1 !!$2$3"},
		{regexp.MustCompile(`(?s)cannot unmarshal !!(map|seq)\S.*? into\b`), "cannot unmarshal !!$1 into"},
		{regexp.MustCompile(`(?s)invalid map key: .*`), "invalid map key"},
		{regexp.MustCompile(`(?s)(?i:unsupported) map key of type: .*`), "unsupported map key"},
		{regexp.MustCompile(`(?s)(mapping key|key) (?:"(?:[^"\\]|\\.)*"|\S+) (already (?:defined|set))`), "$1 " + hidden + " $2"},
		{regexp.MustCompile(`(?s)(unknown anchor|anchor) '.*?' (referenced|value contains)`), "$1 " + hidden + " $2"},
		// encoding/json
		{regexp.MustCompile(`cannot unmarshal number \S+ into`), "cannot unmarshal number into"},
		// strconv, time, net/url, regexp, semver
		{regexp.MustCompile(`(strconv\.\w+|time|duration): (parsing|invalid duration) "(?:[^"\\]|\\.)*"`), "$1: $2 " + hidden},
		{regexp.MustCompile(`parsing time (?s:.*)`), "parsing time " + hidden},
		{regexp.MustCompile(`\bparse "(?:[^"\\]|\\.)*": (?:invalid port "(?:[^"\\]|\\.)*"|invalid URL escape "(?:[^"\\]|\\.)*"|invalid character "(?:[^"\\]|\\.)*")?`), "parse " + hidden + ": invalid "},
		{regexp.MustCompile("(?s)(error parsing regexp: [^:`]*): `.*?`"), "$1"},
		{regexp.MustCompile(`improper constraint: .*`), "improper constraint"},
		// text/template, and Helm's engine around it
		{regexp.MustCompile(`(?s)(execution for|cannot parse template|no template|no entry for key) "(?:[^"\\]|\\.)*"`), "$1 " + hidden},
		// What people put into one text with a secret: the user of a URL, connection
		// strings.
		{regexp.MustCompile("://[^\\s/?#\"'`]*@"), "://" + hidden + "@"},
		{regexp.MustCompile("://[^\\s/:@\"'`]+:\\d*[^\\d\\s/@\"'`][^\\s@\"'`]*@"), "://" + hidden + "@"},
		{regexp.MustCompile("(?i)(pass|passwd|password|pwd|secret|token|api[-_]?key|access[-_]?key|accountkey)=[^\\s;&,\"'`]+"), "$1=" + hidden},
	}
})

// userAndPassword is how connection strings without a scheme begin. An image
// with a tag and a digest looks the same up to the name of the algorithm.
var userAndPassword = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("([^\\s:/@\"'`<>(]+):([^\\s/@\"'`]+)@([A-Za-z0-9_.-]+)")
})

// Scrub takes out of a text what libraries quote of their input and what is
// known to stand beside a secret. Who knows the secrets themselves hides them
// too. To scrub twice changes nothing.
func Scrub(text string) string {
	for _, q := range quotations() {
		text = q.pattern.ReplaceAllString(text, q.stays)
	}
	return userAndPassword().ReplaceAllStringFunc(text, func(found string) string {
		host := found[strings.LastIndex(found, "@")+1:]
		if host == "sha256" || host == "sha512" {
			return found
		}
		return hidden + "@" + host
	})
}
