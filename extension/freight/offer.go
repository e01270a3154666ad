package freight

import (
	"strings"
	"time"
	"unicode"
)

// Detail is what people want to see of an artifact beside its pin. It comes from
// outside, and nothing is decided by it; it is no part of the ID.
type Detail struct {
	// Kind is one of the kinds of artifacts, see [KindImage].
	Kind    string `json:"kind"`
	RepoURL string `json:"repoURL"`
	// Subscription and Name are those of the artifact.
	Subscription string `json:"subscription,omitempty"`
	Name         string `json:"name,omitempty"`
	// Subject is the first line of a commit's message, and Author who wrote it.
	Subject string `json:"subject,omitempty"`
	Author  string `json:"author,omitempty"`
	// CreatedAt is when the image was built, the commit made, or the chart
	// published, as its repository says.
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	// Source and Revision are an image's, from the annotations or labels
	// org.opencontainers.image.source and .revision.
	Source   string `json:"source,omitempty"`
	Revision string `json:"revision,omitempty"`
	// AppVersion is a chart's.
	AppVersion string `json:"appVersion,omitempty"`
}

// maxDetail bounds each text of a detail, in bytes: freight is kept for long, and
// whoever may push a commit or an image writes them.
const maxDetail = 256

// Bounded returns the detail with each text on one line of at most 256 bytes.
func (d Detail) Bounded() Detail {
	for _, text := range []*string{&d.Subject, &d.Author, &d.Source, &d.Revision, &d.AppVersion} {
		*text = line(*text)
	}
	return d
}

// line makes one line of a text, without what a terminal or a browser would take
// for more than letters.
func line(s string) string {
	if len(s) > 2*maxDetail {
		s = s[:2*maxDetail]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if s = strings.Join(strings.Fields(s), " "); len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail-len("…")], "") + "…"
	}
	return s
}

// Offer is one version that a subscription finds: exactly one of Image, Commit
// and Chart, and what people want to see of it.
type Offer struct {
	Image  *Image  `json:"image,omitempty"`
	Commit *Commit `json:"commit,omitempty"`
	Chart  *Chart  `json:"chart,omitempty"`
	Detail Detail  `json:"detail"`
}

// Assemble makes the artifacts of freight of one offer of each subscription, and
// their details, bounded.
func Assemble(offers []Offer) (Artifacts, []Detail) {
	var a Artifacts
	details := make([]Detail, 0, len(offers))
	for _, o := range offers {
		switch {
		case o.Image != nil:
			a.Images = append(a.Images, *o.Image)
		case o.Commit != nil:
			a.Commits = append(a.Commits, *o.Commit)
		case o.Chart != nil:
			a.Charts = append(a.Charts, *o.Chart)
		}
		details = append(details, o.Detail.Bounded())
	}
	return a, details
}

// Version names the offer as people do: a tag, a chart's version, or else the
// short digest of an image, the short ID of a commit.
func (o Offer) Version() string {
	switch {
	case o.Image != nil:
		return Version{Name: o.Image.Tag, ID: o.Image.Digest}.called()
	case o.Commit != nil:
		return Version{Name: o.Commit.Tag, ID: o.Commit.ID}.called()
	case o.Chart != nil:
		return o.Chart.Version
	}
	return ""
}
