package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/hack/bench/pair"
)

func TestAMissedPromiseFails(t *testing.T) {
	kept := figure{what: "kept", value: 0.95, limit: 0.95}
	told := figure{what: "told", value: 22, unit: " s"}
	missed := figure{what: "missed", value: 1025, limit: 1024, unit: " MiB"}

	var table bytes.Buffer
	if err := report(&table, []figure{kept, told}); err != nil {
		t.Error(err)
	}
	if err := report(&table, []figure{kept, missed, told}); !errors.Is(err, errMissed) {
		t.Errorf("a missed promise ends in %v", err)
	}
	for _, want := range []string{"0.95    kept", "1024 MiB   MISSED", "22 s"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}

func TestOnePairThatWasDisturbedDoesNotCount(t *testing.T) {
	quiet := pair.Pair{Ours: pair.Cost{Wall: 8 * time.Millisecond, Peak: 10 << 20}, Theirs: pair.Cost{Wall: 10 * time.Millisecond, Peak: 20 << 20}}
	busy := pair.Pair{Ours: pair.Cost{Wall: time.Minute, Peak: 10 << 20}, Theirs: quiet.Theirs}
	figures := compare([]pair.Pair{quiet, busy, quiet}, 0.95, 1.2)
	want := []figure{
		{what: "wall time", ours: "8 ms", theirs: "10 ms", value: 0.8, limit: 0.95},
		{what: "peak memory", ours: "10 MiB", theirs: "20 MiB", value: 0.5, limit: 1.2},
	}
	if diff := cmp.Diff(want, figures, cmp.AllowUnexported(figure{})); diff != "" {
		t.Error(diff)
	}
}

func TestWordsChooseMeasurements(t *testing.T) {
	for _, tt := range []struct {
		words []string
		want  bool
	}{{nil, true}, {[]string{"kustomization"}, true}, {[]string{"small", "kustomization"}, true}, {[]string{"chart"}, false}} {
		if got := wanted("a small kustomization", tt.words); got != tt.want {
			t.Errorf("%q: %t", tt.words, got)
		}
	}
}
