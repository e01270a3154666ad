package finding_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/finding"
)

func TestFindingsKeepTheirOrderAndTheWorstCounts(t *testing.T) {
	l := finding.For("socket")
	if got := finding.Worst(l.All()); got != finding.OK {
		t.Errorf("the worst of nothing is %s", got)
	}
	l.OK("%d sockets", 2)
	l.Fail("make it", "none")
	l.Warn("mend it", "old")
	want := []finding.Finding{
		{Check: "socket", Severity: finding.OK, Fact: "2 sockets"},
		{Check: "socket", Severity: finding.Error, Fact: "none", Remedy: "make it"},
		{Check: "socket", Severity: finding.Warning, Fact: "old", Remedy: "mend it"},
	}
	if diff := cmp.Diff(want, l.All()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := finding.Worst(l.All()); got != finding.Error {
		t.Errorf("the worst is %s, want %s", got, finding.Error)
	}
	if got := finding.Count(l.All(), finding.Warning); got != 1 {
		t.Errorf("%d warnings, want 1", got)
	}
}

func TestWhatOthersWroteBecomesOneBoundedLine(t *testing.T) {
	l := finding.For("x")
	l.Fail("a\nb", "\x1b[31m %s", strings.Repeat("ü", 1000))
	got := l.All()[0]
	if got.Remedy != "a b" {
		t.Errorf("the remedy is %q", got.Remedy)
	}
	if strings.ContainsRune(got.Fact, '\x1b') || len([]rune(got.Fact)) != 601 {
		t.Errorf("the fact has %d characters, and an escape: %v", len([]rune(got.Fact)), strings.ContainsRune(got.Fact, '\x1b'))
	}
}

func TestOfManyNamesTheFirstAreTold(t *testing.T) {
	if got := finding.Names([]string{"a", "b"}); got != "a, b" {
		t.Errorf("%q", got)
	}
	if got := finding.Names(strings.Split("a b c d e f g", " ")); got != "a, b, c, d, e and 2 more" {
		t.Errorf("%q", got)
	}
}
