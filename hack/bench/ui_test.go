package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACountThatMustBeZeroIsMissedByOne(t *testing.T) {
	figures, err := uiFigures([]byte("dist: built\n" + `[{"what":"told","value":3},{"what":"zero","value":0,"limit":0},{"what":"one","value":1,"limit":0},{"what":"size","value":61,"limit":60,"unit":" KB"}]` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var missed []string
	for _, f := range figures {
		if f.missed() {
			missed = append(missed, f.what)
		}
	}
	if diff := cmp.Diff([]string{"one", "size"}, missed); diff != "" {
		t.Error(diff)
	}
	if _, err := uiFigures([]byte("Error: the browser is gone")); err == nil {
		t.Error("no figures are no promise kept")
	}
}
