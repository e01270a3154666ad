package freight_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
)

func TestFreightIsFoundByWhatPeopleCallIt(t *testing.T) {
	a := freight.Freight{ID: "7d3f0c1" + strings.Repeat("0", 57), Alias: "brave-otter", Artifacts: freight.Artifacts{
		Images: []freight.Image{{Tag: "v1.4.2"}}, Commits: []freight.Commit{{Tag: "release-7"}},
	}}
	b := freight.Freight{ID: "7d3f9aa" + strings.Repeat("0", 57), Artifacts: freight.Artifacts{
		Images: []freight.Image{{Tag: "v1.4.3"}, {Tag: "same"}}, Charts: []freight.Chart{{Version: "2.1.0"}},
	}}
	c := freight.Freight{ID: "c0ffee5" + strings.Repeat("0", 57), Artifacts: freight.Artifacts{
		Images: []freight.Image{{Tag: "same"}, {}}, Commits: []freight.Commit{{}}, Charts: []freight.Chart{{}},
	}}
	// An ID that begins as another does, and is that beginning.
	short := freight.Freight{ID: "7d3f"}

	tests := map[string]struct {
		name string
		want freight.Freight
		err  string
	}{
		"by its ID":                   {a.ID, a, ""},
		"by its ID in spaces":         {" " + a.ID + "\n", a, ""},
		"by the ID's beginning":       {"7d3f0", a, ""},
		"by four digits":              {"c0ff", c, ""},
		"by an image's tag":           {"v1.4.3", b, ""},
		"by a commit's tag":           {"release-7", a, ""},
		"by a chart's version":        {"2.1.0", b, ""},
		"by its alias":                {"brave-otter", a, ""},
		"not by a part of its alias":  {"brave", freight.Freight{}, `there is no freight "brave": name an ID, at least its first 4 digits, an alias or a version`},
		"by an ID that begins others": {"7d3f", short, ""},
		"not by three digits":         {"c0f", freight.Freight{}, `there is no freight "c0f": name an ID, at least its first 4 digits, an alias or a version`},
		"not by nothing":              {" ", freight.Freight{}, `there is no freight "": name an ID, at least its first 4 digits, an alias or a version`},
		"not by a part of a version":  {"v1.4", freight.Freight{}, `there is no freight "v1.4": name an ID, at least its first 4 digits, an alias or a version`},
		"not by a version of two":     {"same", freight.Freight{}, `"same" could be freight 7d3f9aa or c0ffee5: name its alias, or more digits of its ID`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := freight.Find([]freight.Freight{a, b, c, short}, test.name)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if got.ID != test.want.ID || message != test.err {
				t.Errorf("Find(%q) = %q, %q, want %q, %q", test.name, got.ID, message, test.want.ID, test.err)
			}
		})
	}
}

func TestOfSeveralWarehousesThatOfTheOriginsIsMeant(t *testing.T) {
	at := func(id, origin, alias string) freight.Freight {
		return freight.Freight{ID: strings.Repeat(id, 64), Origin: origin, Alias: alias, Artifacts: freight.Artifacts{Images: []freight.Image{{Tag: "v1"}}}}
	}
	shop, tools, more := at("a", "shop", "brave-otter"), at("b", "tools", "calm-heron"), at("c", "tools", "")
	all := []freight.Freight{shop, tools, more}
	if got, err := freight.Find(all, "v1", "shop"); err != nil || got.ID != shop.ID {
		t.Errorf("for a stage that requests shop: %q, %v", got.ID, err)
	}
	if got, err := freight.Find(all[1:2], "v1", "shop"); err != nil || got.ID != tools.ID {
		t.Errorf("where there is no other: %q, %v", got.ID, err)
	}
	for want, origins := range map[string][]string{
		`"v1" could be freight calm-heron (bbbbbbb) or ccccccc: name its alias, or more digits of its ID`:                                                                                  {"tools"},
		`"v1" could be freight brave-otter (aaaaaaa) of warehouse shop or calm-heron (bbbbbbb) of warehouse tools or ccccccc of warehouse tools: name its alias, or more digits of its ID`: nil,
	} {
		if _, err := freight.Find(all, "v1", origins...); err == nil || err.Error() != want {
			t.Errorf("with the origins %v: %v, want %s", origins, err, want)
		}
	}
	many := slices.Repeat([]freight.Freight{tools}, 6)
	if _, err := freight.Find(many, "v1"); err == nil || !strings.Contains(err.Error(), " or 2 more: ") {
		t.Errorf("of six: %v", err)
	}
}

func TestAnIDsBeginningThatTwoShareIsAmbiguous(t *testing.T) {
	all := []freight.Freight{{ID: "7d3f0c1" + strings.Repeat("0", 57)}, {ID: "7d3f9aa" + strings.Repeat("0", 57)}}
	_, err := freight.Find(all, "7d3f")
	const want = `"7d3f" could be freight 7d3f0c1 or 7d3f9aa: name its alias, or more digits of its ID`
	if err == nil || err.Error() != want {
		t.Errorf("Find = %v, want %s", err, want)
	}
}
