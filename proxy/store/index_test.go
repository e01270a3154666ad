package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

func TestIndexValuesOfARecord(t *testing.T) {
	of := func(labels ...string) map[string]string {
		all := map[string]string{}
		for i := 0; i < len(labels); i += 2 {
			all[labels[i]] = labels[i+1]
		}
		return all
	}
	for name, test := range map[string]struct {
		labels map[string]string
		want   []string
	}{
		"no record":   {of("app", "x"), nil},
		"a pipeline":  {of(LabelKind, "pipeline"), []string{"kind/pipeline", "kind/pipeline/"}},
		"freight":     {of(LabelKind, "freight", LabelPipeline, "w.shop"), []string{"kind/freight", "kind/freight/w.shop"}},
		"a stage":     {of(LabelKind, "stage", LabelPipeline, "w.shop", LabelStage, "dev"), []string{"kind/stage", "kind/stage/w.shop"}},
		"one waiting": {of(LabelKind, "promotion", LabelPipeline, "w.shop", LabelStage, "dev", LabelPhase, "Pending"), []string{"kind/promotion", "kind/promotion/w.shop", "open/w.shop/dev", "stage/w.shop/dev"}},
		"one running": {of(LabelKind, "promotion", LabelPipeline, "w.shop", LabelStage, "dev", LabelPhase, "Running"), []string{"kind/promotion", "kind/promotion/w.shop", "open/w.shop/dev", "stage/w.shop/dev"}},
		"one that ended": {
			of(LabelKind, "promotion", LabelPipeline, "w.shop", LabelStage, "dev", LabelPhase, "Aborted", LabelPrevious, "none"),
			[]string{"after/w.shop/dev/none", "kind/promotion", "kind/promotion/w.shop", "stage/w.shop/dev"},
		},
	} {
		got := indexValues(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Labels: test.labels}})
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestALabelHoldsAnyPipelinesName(t *testing.T) {
	long := strings.Repeat("a", 63)
	seen := map[string]string{}
	for _, name := range []string{
		"waybill/shop", "waybill/shop-dev", "waybill-shop/dev", "w/" + long[:61], "w/" + long[:62], "w/" + long,
		long + "/" + long, long + "/" + long[:62], long[:62] + "/" + long, "waybill/" + long[:62] + "b", "waybill/" + long[:62] + "c",
	} {
		value := label(name)
		if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
			t.Errorf("%s becomes %s: %q", name, value, problems)
		}
		if other, taken := seen[value]; taken {
			t.Errorf("%s and %s share the label %s", name, other, value)
		}
		seen[value] = name
		// Nobody can give a pipeline the name that a longer one is shortened to.
		_, short, _ := strings.Cut(value, ".")
		if _, err := pipeline.ParseName("waybill/" + short); err == nil && value != strings.ReplaceAll(name, "/", ".") {
			t.Errorf("%s is shortened to %s, which is a name itself", name, value)
		}
	}
}

func TestNamesOfRecordsNeverCollide(t *testing.T) {
	parts := []string{"a", "b", "a-b", "accepted", "stage", "warehouse"}
	seen := map[string][]string{}
	for _, namespace := range parts {
		for _, name := range parts {
			p := pipeline.Name{Namespace: namespace, Name: name}
			names := []string{recordName(p, KindAccepted)}
			for _, part := range parts {
				names = append(names, recordName(p, KindStage, part), recordName(p, KindWarehouse, part))
			}
			for _, n := range names {
				if problems := validation.IsDNS1123Subdomain(n); len(problems) > 0 {
					t.Errorf("%s: %q", n, problems)
				}
				if other, taken := seen[n]; taken {
					t.Errorf("%s is of %v and %s", n, other, p)
				}
				seen[n] = []string{p.String()}
			}
		}
	}
}

func TestTheNewestOwnWriteCounts(t *testing.T) {
	o := ownWrites{versions: map[string]string{}}
	o.wrote("x", "6")
	o.wrote("x", "5") // ended earlier, noted later
	for _, test := range []struct {
		seen   string
		trails bool
	}{{"", true}, {"4", true}, {"5", true}, {"6", false}, {"4", false}} {
		if got := o.trails("x", test.seen); got != test.trails {
			t.Errorf("seen %q: trails %v, want %v", test.seen, got, test.trails)
		}
	}
	if len(o.pending()) != 0 {
		t.Errorf("still remembered: %v", o.pending())
	}
}

func TestWhatIsKeptParsedIsBounded(t *testing.T) {
	p := parsed{values: map[string]parsedValue{}}
	for i := range maxParsed + 10 {
		p.put(strings.Repeat("x", i%7)+string(rune('a'+i%26))+string(rune(0x4e00+i)), "1", i)
	}
	if len(p.values) > maxParsed {
		t.Errorf("%d documents are kept", len(p.values))
	}
	p.put("last", "1", "value")
	if v, ok := p.get("last", "1"); !ok || v != "value" {
		t.Errorf("got %v, %v", v, ok)
	}
	if _, ok := p.get("last", "2"); ok {
		t.Error("another version is taken for it")
	}
}
