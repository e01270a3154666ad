package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// digestVersion names the canonical form, so that another one can follow it.
const digestVersion = "waybill.dev/manifests/v1\n"

// Digest returns the digest of manifests, "sha256:" and 64 hex digits: the
// same for the same objects, whatever the order of documents and keys, the
// comments, the indentation or the spelling of a number.
//
// The canonical form is one line of JSON for each object, with sorted keys,
// ordered by group, kind, namespace and name. Objects that share those keep
// their order, because the last one wins when they are applied; without a name
// (generateName) all are applied, and they are ordered by their content.
func Digest(objects []Object) (string, error) {
	lines := make([]canonical, len(objects))
	for i, o := range objects {
		text, err := canonicalJSON(o)
		if err != nil {
			return "", fmt.Errorf("the digest of %s: %w", o, err)
		}
		lines[i] = canonical{object: o, text: text}
	}
	slices.SortStableFunc(lines, canonical.compare)
	h := sha256.New()
	h.Write([]byte(digestVersion))
	for _, line := range lines {
		h.Write(line.text)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

type canonical struct {
	object Object
	text   []byte
}

func (c canonical) compare(other canonical) int {
	a, b := c.object, other.object
	for _, pair := range [][2]string{
		{a.Group(), b.Group()},
		{a.Kind(), b.Kind()},
		{a.Namespace(), b.Namespace()},
		{a.Name(), b.Name()},
	} {
		if order := strings.Compare(pair[0], pair[1]); order != 0 {
			return order
		}
	}
	if a.Name() == "" {
		return bytes.Compare(c.text, other.text)
	}
	return 0
}

// canonicalJSON returns one line. The encoder sorts keys; characters that HTML
// minds are left alone, so that other languages can make the same form.
func canonicalJSON(o Object) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(o); err != nil {
		return nil, err
	}
	return line.Bytes(), nil
}
