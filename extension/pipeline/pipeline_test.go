package pipeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

func parsed(t *testing.T) pipeline.Document {
	t.Helper()
	doc, err := pipeline.Parse(shop, good)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestWarehousesAndStagesAreFoundByName(t *testing.T) {
	doc := parsed(t)
	if w, ok := doc.Warehouse("base"); !ok || w.Name != "base" {
		t.Errorf("Warehouse(base) = %+v, %t", w, ok)
	}
	if s, ok := doc.Stage("staging"); !ok || s.Name != "staging" {
		t.Errorf("Stage(staging) = %+v, %t", s, ok)
	}
	if w, ok := doc.Warehouse("dev"); ok {
		t.Errorf("Warehouse(dev) = %+v, and that is a stage", w)
	}
	if s, ok := doc.Stage("base"); ok {
		t.Errorf("Stage(base) = %+v, and that is a warehouse", s)
	}
}

func TestAStageTellsWhatItRequestsOfEachOrigin(t *testing.T) {
	dev, _ := parsed(t).Stage("dev")
	if r, ok := dev.Requests("base"); !ok || r.Origin.Name != "base" || !r.Sources.Direct {
		t.Errorf("Requests(base) = %+v, %t", r, ok)
	}
	if r, ok := dev.Requests("dev"); ok {
		t.Errorf("Requests(dev) = %+v, and no warehouse is called so", r)
	}
}

func TestTheProjectOfAStageOverridesThePipelines(t *testing.T) {
	doc := parsed(t)
	for stage, want := range map[string]string{"dev": "shop", "prod": "shop-prod"} {
		s, _ := doc.Stage(stage)
		if got := doc.ProjectOf(s); got != want {
			t.Errorf("the project of %s is %q, want %q", stage, got, want)
		}
	}
	for project, want := range map[string]bool{"shop": true, "shop-prod": true, "other": false, "": false} {
		if got := doc.HasProject(project); got != want {
			t.Errorf("HasProject(%q) = %t, want %t", project, got, want)
		}
	}
}

// A stage without a project of its own has the pipeline's, not the empty one.
func TestTheEmptyProjectIsNobodys(t *testing.T) {
	if (pipeline.Document{Project: "shop", Stages: []pipeline.Stage{{Name: "dev"}}}).HasProject("") {
		t.Error("a stage without a project lets the Applications of no project in")
	}
}

func TestUpstreamIsEveryStageThatFreightMayComeThrough(t *testing.T) {
	from := func(stages ...string) []pipeline.RequestedFreight {
		return []pipeline.RequestedFreight{{Sources: pipeline.Sources{Stages: stages}}}
	}
	doc := pipeline.Document{Stages: []pipeline.Stage{
		{Name: "prod-eu", RequestedFreight: from("staging")},
		{Name: "prod-us", RequestedFreight: append(from("staging"), from("load")...)},
		{Name: "dev"},
		{Name: "staging", RequestedFreight: from("dev", "qa")},
		{Name: "qa", RequestedFreight: from("dev")},
		{Name: "load", RequestedFreight: from("dev")},
		{Name: "a", RequestedFreight: from("b", "gone")},
		{Name: "b", RequestedFreight: from("a")},
	}}
	for stage, want := range map[string][]string{
		"dev":     nil,
		"qa":      {"dev"},
		"staging": {"dev", "qa"},
		"prod-eu": {"dev", "staging", "qa"},
		"prod-us": {"dev", "staging", "qa", "load"},
		"a":       {"a", "b"}, // a cycle ends the walk, and is seen
		"gone":    nil,
	} {
		if diff := cmp.Diff(want, doc.Upstream(stage)); diff != "" {
			t.Errorf("upstream of %s, in the order of the document (-want +got):\n%s", stage, diff)
		}
	}
}

func TestOnlyFullVersionsCountUnlessTheSubscriptionSaysOtherwise(t *testing.T) {
	yes, no := true, false
	for _, test := range []struct {
		given *bool
		want  bool
	}{{nil, true}, {&yes, true}, {&no, false}} {
		if got := (pipeline.ImageSubscription{StrictSemvers: test.given}).Strict(); got != test.want {
			t.Errorf("Strict = %t, want %t", got, test.want)
		}
	}
}

func TestADurationIsWrittenAsItIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{`"10m0s"`: 10 * time.Minute, `"1h30m0s"`: 90 * time.Minute, `"0s"`: 0, `"-1ms"`: -time.Millisecond} {
		var d pipeline.Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s is read as %s, %v", text, time.Duration(d), err)
		}
		if out, err := json.Marshal(d); err != nil || string(out) != text {
			t.Errorf("%s is written as %s, %v", text, out, err)
		}
	}
	if err := json.Unmarshal([]byte(`"1d"`), new(pipeline.Duration)); err == nil {
		t.Error("a day is read as a duration: how long is it when the clocks change?")
	}
}

func TestTheHashOfADocumentIsTheSHA256OfItsText(t *testing.T) {
	const want = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of "foo", as everybody knows
	if got := pipeline.Hash("foo"); got != want {
		t.Errorf("Hash = %s, want %s", got, want)
	}
	if pipeline.Hash("foo\n") == want {
		t.Error("the hash does not cover every byte")
	}
}

// Nobody can act on behalf of an Application where there is none.
func TestAStageWithoutApplicationsByIntentPromotesByItself(t *testing.T) {
	for _, test := range []struct {
		stage pipeline.Stage
		want  bool
	}{
		{pipeline.Stage{}, false},
		{pipeline.Stage{AutoPromotion: true}, true},
		{pipeline.Stage{ControlFlow: true}, true},
		{pipeline.Stage{AutoPromotion: true, ControlFlow: true}, true},
	} {
		if got := test.stage.Automatic(); got != test.want {
			t.Errorf("Automatic = %t, want %t: %+v", got, test.want, test.stage)
		}
	}
}
