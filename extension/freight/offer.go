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

// maxDetail bounds each text of a detail, in bytes.
const maxDetail = 256

// Bounded returns the detail with its texts, which anybody may have written, cut to
// a line that people read: 256 bytes at most each, and no control characters.
func (d Detail) Bounded() Detail {
	for _, text := range []*string{&d.Subject, &d.Author, &d.Source, &d.Revision, &d.AppVersion} {
		*text = line(*text)
	}
	return d
}

func line(s string) string {
	cut := len(s) > maxDetail
	if cut {
		s = s[:maxDetail]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if cut {
		s += "…"
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
// their details.
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
// short ID of a commit.
func (o Offer) Version() string {
	switch {
	case o.Image != nil:
		return o.Image.Tag
	case o.Commit != nil && o.Commit.Tag != "":
		return o.Commit.Tag
	case o.Commit != nil:
		return Short(o.Commit.ID)
	case o.Chart != nil:
		return o.Chart.Version
	}
	return ""
}
