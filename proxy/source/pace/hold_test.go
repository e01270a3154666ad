package pace_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/waybill-cd/waybill/proxy/source/pace"
)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
		"": 0, "soon": 0, "-1": 0, "1e3": 0, " 5": 0, "99999999999999999999": 0,
		"1000000": pace.MaxHold, "Wed, 21 Oct 2065 07:28:00 GMT": pace.MaxHold,
	} {
		if got := pace.RetryAfter(header, now); got != want {
			t.Errorf("Retry-After: %q is %s, want %s", header, got, want)
		}
	}
}

func TestAPauseIsNotCutShortByAnotherAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		holds := pace.NewHolds[string]()
		for _, step := range []struct {
			retryAfter string
			want       time.Duration
		}{{"5", 5 * time.Second}, {"90", 90 * time.Second}, {"5", 90 * time.Second}, {"", 90 * time.Second}} {
			if got := holds.Add("a", step.retryAfter); got != step.want || holds.Left("a") != step.want {
				t.Errorf("after Retry-After %q: %s, then %s left, want %s", step.retryAfter, got, holds.Left("a"), step.want)
			}
		}
		if left := holds.Left("b"); left != 0 {
			t.Errorf("another one is left alone for %s", left)
		}
		<-time.After(90 * time.Second)
		if left := holds.Left("a"); left != 0 {
			t.Errorf("after the pause, %s are left", left)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "90", "-1", "1e9", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "Sun, 31 Dec 9999 23:59:59 GMT", " 5", "0x10", "4294967296"} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if wait := pace.RetryAfter(header, now); wait < 0 || wait > pace.MaxHold {
			t.Errorf("Retry-After: %q is %s, want 0 to %s", header, wait, pace.MaxHold)
		}
	})
}
