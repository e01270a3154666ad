package pin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// place is where the image is pulled from, for a manifest that names a repository.
func (p pinned) place(repository string) string {
	if p.mirror != "" {
		return p.mirror
	}
	return repository
}

// choose returns the pin of a repository that a reference means. One pin alone is
// meant by any. Of several it is, by the first of these rules that holds,
//
//   - the one that stands in the reference already, tag and digest: what is pinned
//     stays, whatever renders it a second time,
//   - the one whose subscription the tag names,
//   - the one whose digest the reference has: charts may write a digest alone.
func choose(all []pinned, tag, digest string) (pinned, bool) {
	if len(all) == 1 {
		return all[0], true
	}
	if i := slices.IndexFunc(all, func(p pinned) bool { return p.Tag == tag && p.Digest == digest }); i >= 0 {
		return all[i], true
	}
	if p, found := named(all, tag); found {
		return p, true
	}
	if i := slices.IndexFunc(all, func(p pinned) bool { return p.Digest == digest }); i >= 0 {
		return all[i], true
	}
	return pinned{}, false
}

// named returns the pin of a subscription of that name.
func named(all []pinned, name string) (pinned, bool) {
	i := slices.IndexFunc(all, func(p pinned) bool { return p.Subscription == name && name != "" })
	if i < 0 {
		return pinned{}, false
	}
	return all[i], true
}

// unclear refuses a reference that does not say which of the pins it means.
func unclear(repository, tag string, all []pinned) error {
	var names []string
	for _, p := range all {
		if p.Subscription != "" {
			names = append(names, p.Subscription)
		}
	}
	slices.Sort(names)
	remedy := "write one of these names as the image's tag"
	switch {
	case len(all) == 1 && len(names) == 0:
		return refusal.New(fmt.Sprintf("its waybill pins %s, and no subscription to it is called %s", repository, tag), "leave the tag out")
	case len(all) == 1:
		return refusal.New(fmt.Sprintf("its waybill pins %s (%s), and no subscription to it is called %s", repository, names[0], tag), "write that name as the image's tag, or none")
	case len(names) < len(all):
		names = append(names, "one without a name")
		remedy = "give each subscription to it a name, and write one of the names as the image's tag"
	}
	times := "twice"
	if len(all) > 2 {
		times = fmt.Sprintf("%d times", len(all))
	}
	cause := fmt.Sprintf("its waybill pins %s %s (%s)", repository, times, strings.Join(names, ", "))
	if tag != "" {
		cause += fmt.Sprintf(", and the tag %s is none of these", tag)
	}
	return refusal.New(cause, remedy)
}
