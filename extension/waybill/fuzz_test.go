package waybill_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
)

func FuzzAFileThatPassesIsWrittenAsItWasRead(f *testing.F) {
	f.Add(marshal(f, good()))
	f.Add(strings.ReplaceAll(marshal(f, good()), "bob", "*b"))
	for _, s := range []string{
		"", "---", "null", "[]", "serial: 1.5", "promotion: {at: yesterday}", "promotion: {at: 2026-03-01}", "freight: [null]",
		"freight: [{images: [null], id: !!binary aGk=}]", "a: &a [*a]", "<<: {serial: 7}", "verifiedIn: ['\\r\\n ', \" \\x85\\u2028\"]",
		"&a serial: 1\n*a : 2", "{kind: Waybill}\n...\n{}", "\xff", "%TAG ! x\n---\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := waybill.Parse([]byte(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is more than a line: %q", err)
			}
			return
		}
		if err := read.Check(read.Application); err != nil {
			return // refused, and that is all it should be
		}
		again, err := waybill.Parse([]byte(marshal(t, read)))
		if err != nil {
			t.Fatalf("what passed cannot be read again: %v", err)
		}
		read.Promotion.At = read.Promotion.At.UTC().Truncate(time.Second)
		if diff := cmp.Diff(read, again, equalTimes, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}

// Whatever people write into names and reasons, what comes out is what went in.
func FuzzAWaybillThatIsWrittenIsReadAsItWas(f *testing.F) {
	f.Add("shop-prod", "alice", "because", "v1.4.2", "registry.example.com/shop", int64(1), int64(1_700_000_000))
	f.Add("null", "true", "|-\n  a: b\n\n", "1.0", "*a", int64(-1), int64(0))
	f.Add("~", "1e3", " leading", "0x1", "!!str", int64(7), int64(-62135596800))
	f.Add("a: b", "#c", "trailing \n\ttab", "2026-01-01", "'\"", int64(7), int64(253402300799))
	f.Add("\u2028", "\x00", "\ufeff\u0085", "\r\n", "---", int64(7), int64(1))
	f.Add("shop-prod", "alice", "line\n\tline\n\n  line", "v1", "r", int64(7), int64(1))
	f.Fuzz(func(t *testing.T, application, by, reason, tag, repo string, serial, unix int64) {
		// A name is one line, and only a reason is more; it is written trimmed.
		oneLine := strings.NewReplacer("\n", "", "\r", "", "\u0085", "", "\u2028", "", "\u2029", "")
		application, by, reason = oneLine.Replace(application), oneLine.Replace(by), strings.TrimSpace(reason)
		want := waybill.Waybill{
			APIVersion: "waybill.dev/v1", Kind: "Waybill", Application: application, Stage: "shop/prod", Serial: serial,
			Freight: []waybill.Freight{piece("shop", freight.Artifacts{
				Images:  []freight.Image{{RepoURL: repo, Tag: tag, Digest: digestA}},
				Commits: []freight.Commit{{RepoURL: repo, Tag: tag, ID: commitID}},
			})},
			// Years beyond 9999 have no RFC 3339.
			Promotion:  waybill.Promotion{ID: by, By: by, ApprovedBy: []string{by, application}, Reason: reason, At: time.Unix(unix%200_000_000_000, 0).UTC()},
			VerifiedIn: []string{tag, reason},
		}
		data, err := want.Marshal()
		if err != nil {
			if len(application)+len(by)+len(reason)+len(tag)+len(repo) < 4<<10 {
				t.Errorf("a small waybill cannot be written: %v", err)
			}
			return
		}
		got, err := waybill.Parse(data)
		if err != nil {
			t.Fatalf("cannot be read: %v\n%s", err, data)
		}
		if diff := cmp.Diff(want, got, equalTimes); diff != "" {
			t.Errorf("read again (-want +got):\n%s\n%s", diff, data)
		}
	})
}

var equalTimes = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
