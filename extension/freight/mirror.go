package freight

import (
	"fmt"
	"strings"
)

// Mirror tells that a stage pulls what stands in From from To: the same
// repositories with the same digests in another registry.
type Mirror struct {
	// From is a repository, or the beginning of some: a registry's host, or a
	// host and the first parts of a path.
	From string `json:"from" yaml:"from"`
	// To takes From's place.
	To string `json:"to" yaml:"to"`
}

// Mirrored returns the repository from which a stage pulls an image, in the one
// spelling of [ImageRepository]. Of several mirrors the longest From counts; no
// mirror is applied to what another one gave. mirrored is false where none is for
// the repository.
func Mirrored(repo string, mirrors []Mirror) (mirror string, mirrored bool) {
	repo = ImageRepository(repo)
	longest := -1
	mirror = repo
	for _, m := range mirrors {
		from := mirrorPlace(m.From)
		rest, found := strings.CutPrefix(repo, from)
		if found && len(from) > longest && (rest == "" || rest[0] == '/') {
			mirror, longest = mirrorPlace(m.To)+rest, len(from)
		}
	}
	return mirror, longest >= 0
}

// mirrorPlace returns the one spelling of a place of repositories. What could be
// a host is one: no image is meant by it alone.
func mirrorPlace(place string) string {
	place = trim(place)
	if strings.Contains(place, "/") || !strings.ContainsAny(place, ".:") && place != "localhost" {
		return ImageRepository(place)
	}
	return strings.TrimSuffix(ImageRepository(place+"/x/x"), "/x/x") // two parts: Docker Hub puts "library" before one
}

// MaxMirrors bounds those of one stage: each waybill carries them.
const MaxMirrors = 100

// CheckMirrors tells which of the mirrors cannot be used, and why: its index, or
// -1 for all of them together. The error is nil where all can.
func CheckMirrors(mirrors []Mirror) (int, error) {
	if len(mirrors) > MaxMirrors {
		return -1, fmt.Errorf("there are more than %d mirrors: name what they have in common", MaxMirrors)
	}
	taken := map[string]bool{}
	for i, m := range mirrors {
		for _, place := range []string{m.From, m.To} {
			if _, tag, digest := SplitImage(place); trim(place) == "" || tag != "" && strings.Contains(place, "/") || digest != "" || strings.ContainsAny(place, "@ \t\n") || strings.Contains(place, "://") {
				return i, fmt.Errorf("%q is not a place of images: write a registry's host, or host/path, without scheme, tag or digest", place)
			}
		}
		from := mirrorPlace(m.From)
		if from == mirrorPlace(m.To) {
			return i, fmt.Errorf("%s is mirrored to itself", from)
		}
		if taken[from] {
			return i, fmt.Errorf("%s is mirrored twice", from)
		}
		taken[from] = true
	}
	return -1, nil
}
