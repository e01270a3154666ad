package helm

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// hidden stands for what is not told.
const hidden = "…"

// explain makes an error fit to be shown: no values of secrets, and a remedy.
func explain(err error, path string, secrets *secrets) error {
	remedy := "mend the chart, helm template " + path + " shows the same"
	var refused *refusal.Error
	text := err.Error()
	if errors.As(err, &refused) {
		remedy = refused.Remedy
		text = strings.TrimSuffix(text, ": "+remedy)
	}
	text = strings.ReplaceAll(text, "file:///", "")
	return refusal.New(secrets.hide(refusal.Scrub(text)), remedy)
}

// secrets are texts that no error tells.
type secrets struct{ all []string }

var (
	secretName = regexp.MustCompile(`(?i)passw|passphrase|pwd|secret|token|credential|api[-_]?key|access[-_]?key|private|signing|dsn|pass$|conn$|connection$|conn(ection)?[-_]?(str|ur[il])`)
	// Such a name tells where a secret is, not what it is.
	secretReference = regexp.MustCompile(`(?i)^existing|(name|namespace|ref|path|key|enabled|create|type)$`)
	secretKey       = regexp.MustCompile(`(?i)(api|access|private|signing)[-_]?key$`)
)

func isSecret(name string) bool {
	return secretName.MatchString(name) && (!secretReference.MatchString(name) || secretKey.MatchString(name))
}

// collect adds the secrets in values, which their names tell: those of fields,
// and those of variables in lists of name and value.
func (s *secrets) collect(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			s.collect(element)
		}
	case map[string]any:
		for name, inner := range value {
			if isSecret(name) {
				s.all = append(s.all, told(inner)...)
			} else {
				s.collect(inner)
			}
		}
		if name, ok := value["name"].(string); ok && secretName.MatchString(name) {
			s.all = append(s.all, told(value["value"])...)
		}
	}
}

// told returns the texts in a value as a template would print them, numbers too.
func told(value any) []string {
	switch value := value.(type) {
	case []any:
		var all []string
		for _, element := range value {
			all = append(all, told(element)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, element := range value {
			all = append(all, told(element)...)
		}
		return all
	case float64:
		return []string{fmt.Sprint(value), strconv.FormatFloat(value, 'f', -1, 64)}
	case int, int64, uint64, json.Number:
		return []string{fmt.Sprint(value)}
	}
	return manifest.Texts(value)
}

// minSecret is the length of what is worth hiding: a letter would take all words
// with it.
const minSecret = 3

// hide takes the secrets out of a text, in plain and as they stand in a Secret.
func (s *secrets) hide(text string) string {
	var all []string
	for _, secret := range s.all {
		if len(secret) < minSecret {
			continue
		}
		all = append(all, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	// The longest first, since one may be part of another, and always in one
	// order, since two may overlap.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, value := range all {
		text = strings.ReplaceAll(text, value, hidden)
	}
	return text
}
