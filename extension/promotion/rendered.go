package promotion

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Rendered is what one Application renders with the freight of a promotion.
type Rendered struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Digest is the canonical digest of the manifests: that of
	// `waybill-plugin digest`.
	Digest string `json:"digest"`
	// Commit is the one whose tree was rendered, with the waybill in it: the tip
	// of the Application's branch, or the base of a stage branch.
	Commit string `json:"commit"`
}

// previewVersion names the canonical form, so that another one can follow it.
const previewVersion = "waybill.dev/preview/v1\n"

// PreviewDigest returns the digest of all that the Applications of a stage
// render, "sha256:" and 64 hex digits; empty where nothing is rendered, or one
// Application renders nothing.
//
// The canonical form is one line for each Application, `"namespace" "name"
// "digest"`, each quoted as in Go, sorted by namespace and name. The commits are
// no part of it: what counts is what is deployed, and not from where.
func PreviewDigest(all []Rendered) string {
	if len(all) == 0 || slices.ContainsFunc(all, func(r Rendered) bool { return r.Digest == "" }) {
		return ""
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Rendered) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	h := sha256.New()
	h.Write([]byte(previewVersion))
	for _, r := range all {
		fmt.Fprintf(h, "%q %q %q\n", r.Namespace, r.Name, r.Digest)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// IsPreviewDigest tells whether a text has the form of a [PreviewDigest].
func IsPreviewDigest(text string) bool { return freight.IsDigest(text) }

// Bound tells whether an approval that counts is bound to what is rendered.
func (p Promotion) Bound() bool {
	return slices.ContainsFunc(p.Approvals, func(d Decision) bool { return d.Preview != "" && d.Outdated == "" })
}

// Outdate takes the count from the approvals that were given to another result
// than digest, and records why. It tells whether there were any. An approval that
// is bound to nothing but the freight counts whatever is rendered.
func (p *Promotion) Outdate(digest, why string) bool {
	p.Approvals = slices.Clone(p.Approvals)
	changed := false
	for i := range p.Approvals {
		if d := &p.Approvals[i]; d.Preview != "" && d.Preview != digest && d.Outdated == "" {
			d.Outdated, changed = Clip(why), true
		}
	}
	return changed
}

// RenderedOf returns what was rendered for an Application when the promotion
// started; false where nothing had to be.
func (p Promotion) RenderedOf(namespace, name string) (Rendered, bool) {
	i := slices.IndexFunc(p.Rendered, func(r Rendered) bool { return r.Namespace == namespace && r.Name == name })
	if i < 0 {
		return Rendered{}, false
	}
	return p.Rendered[i], true
}
