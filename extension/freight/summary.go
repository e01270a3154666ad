package freight

import "strings"

// Summary names the artifacts in a few words: "shop:v1.4.2, shop 4b1c27c, db
// 2.1.0". Of several of one repository it names the subscriptions too:
// "shop:v1.4.2 (web), shop:v1.4.1 (worker)".
func (a Artifacts) Summary() string {
	all := pinned(a)
	several := map[pin]int{}
	for _, p := range all {
		several[pin{kind: p.kind, repository: p.repository}]++
	}
	parts := make([]string, len(all))
	for i, p := range all {
		parts[i] = p.summary()
		if p.subscription != "" && several[pin{kind: p.kind, repository: p.repository}] > 1 {
			parts[i] += " (" + p.subscription + ")"
		}
	}
	return strings.Join(parts, ", ")
}

func (p pin) summary() string {
	switch {
	case p.kind == KindImage && p.Name != "":
		return base(p.artifact) + ":" + p.Name
	case p.kind == KindImage:
		return base(p.artifact) + "@" + p.called()
	default:
		return base(p.artifact) + " " + p.called()
	}
}

// called is what people call the version: its name, or else its short ID.
func (v Version) called() string {
	if v.Name != "" {
		return v.Name
	}
	return Short(strings.TrimPrefix(v.ID, "sha256:"))
}

func base(url string) string {
	url = strings.TrimSuffix(strings.TrimRight(url, "/"), ".git")
	return url[strings.LastIndexAny(url, "/:")+1:]
}
