package command

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// examples are values that parameters take, where any of their form will not do.
var examples = map[string]value{
	parameters.Unpinned:     {String: text("allow")},
	parameters.ImagePaths:   {Array: []string{"Rollout.argoproj.io:spec.image"}},
	parameters.ImageValues:  {Map: map[string]string{"image.tag": "registry.example.com/shop#tag"}},
	parameters.Patches:      {String: text("- patch: '[]'\n  target: {kind: Deployment}\n")},
	parameters.Values:       {String: text("size: 3\n")},
	parameters.ValuesObject: {String: text("size: 3\n")},
}

// ofForm are values by the form that they are written in, one for each.
func ofForm(name string) map[parameters.Form]value {
	all := map[parameters.Form]value{
		parameters.Text:    {String: text("shop")},
		parameters.Boolean: {String: text("true")},
		parameters.List:    {Array: []string{"a"}},
		parameters.Map:     {Map: map[string]string{"a": "b"}},
	}
	for form := range all {
		if example, found := examples[name]; found && fieldOf(example) == form.Field() {
			all[form] = example
		}
		given := all[form]
		given.Name = name
		all[form] = given
	}
	return all
}

func fieldOf(v value) string {
	switch {
	case v.Array != nil:
		return "array"
	case v.Map != nil:
		return "map"
	default:
		return "string"
	}
}

func text(s string) *string { return &s }

func TestThePluginTakesTheParametersThatAreNamedAndNoOther(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		var told, taken []string
		for _, d := range definitions(kind) {
			if d.set == nil {
				told = append(told, d.name)
			} else {
				taken = append(taken, d.name)
			}
		}
		slices.Sort(taken)
		if diff := cmp.Diff(named(parameters.Told()), told); diff != "" {
			t.Errorf("what is told of %s (-named +told):\n%s", kind, diff)
		}
		want := named(slices.Concat(parameters.Own(kind), parameters.Of(kind)))
		slices.Sort(want)
		if diff := cmp.Diff(want, taken); diff != "" {
			t.Errorf("what %s takes (-named +taken):\n%s", kind, diff)
		}
	}
}

func named(all []parameters.Parameter) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

func TestAParameterIsTakenInItsFormAndNoOther(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		for _, d := range definitions(kind) {
			if d.set == nil {
				continue
			}
			own, _ := parameters.FormOf(kind, d.name)
			for form, given := range ofForm(d.name) {
				var got settings
				err := d.set(&got, given)
				switch {
				case form == own && err != nil:
					t.Errorf("%s of %s, a %s, is refused: %v", d.name, kind, own.Field(), err)
				case form == own && untouched(got):
					t.Errorf("%s of %s sets nothing", d.name, kind)
				case form.Field() != own.Field() && err == nil:
					t.Errorf("%s of %s, a %s, is taken as a %s", d.name, kind, own.Field(), form.Field())
				case own == parameters.Boolean && form == parameters.Text && err == nil:
					t.Errorf("%s of %s, a boolean, is taken as any text", d.name, kind)
				}
			}
		}
	}
}

// sources are files of a path of each kind.
var sources = map[parameters.Kind]map[string]string{
	parameters.Kustomization: {"kustomization.yaml": "resources: []"},
	parameters.Chart:         {"Chart.yaml": chartYAML},
	parameters.Plain:         nil,
}

func TestEveryParameterIsAnnouncedInItsForm(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		path := t.TempDir()
		write(t, path, sources[kind])
		announced := announcements(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: "."})
		all := slices.Concat(parameters.Told(), parameters.Own(kind), parameters.Of(kind))
		if len(announced) != len(all) {
			t.Errorf("%d parameters of %s are announced, want %d", len(announced), kind, len(all))
		}
		for _, p := range all {
			a := announced[p.Name]
			if a.CollectionType != p.Form.Field() || (a.ItemType == "boolean") != (p.Form == parameters.Boolean) {
				t.Errorf("%s of %s is announced as %q of %q", p.Name, kind, a.CollectionType, a.ItemType)
			}
			if a.Title == "" || a.Tooltip == "" {
				t.Errorf("%s of %s has no title or no tooltip", p.Name, kind)
			}
		}
	}
}

// The tab shows an announced value where the Application sets none, so that it
// must be what holds then. Of what the Application sets it shows that (argo-cd,
// ui, application-parameters.tsx), so that nothing of it need be announced.
func TestWhatTheTabShowsOfAnUnsetParameterIsWhatHolds(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		path := t.TempDir()
		write(t, path, sources[kind])
		env := map[string]string{envApplication: "shop-prod", envSourcePath: "."}
		unset := announcements(t, path, env)
		for _, d := range definitions(kind) {
			if d.set == nil {
				continue
			}
			a := unset[d.name]
			if len(a.Array) > 0 || len(a.Map) > 0 {
				t.Errorf("%s of %s is announced with elements", d.name, kind)
			}
			if a.CollectionType != "string" {
				continue
			}
			shown := value{Name: d.name, String: &a.String}
			var got settings
			if err := d.set(&got, shown); err != nil {
				t.Errorf("%s of %s is announced as %q, which it does not take: %v", d.name, kind, a.String, err)
			}
			if !untouched(got) {
				t.Errorf("%s of %s is announced as %q, which is not what holds", d.name, kind, a.String)
			}
		}
		env[envParameters] = `[{"name":"strict","string":"true"}]`
		if diff := cmp.Diff(unset, announcements(t, path, env)); diff != "" {
			t.Errorf("what %s announces depends on what the Application sets:\n%s", kind, diff)
		}
	}
}

// untouched tells whether nothing is set.
func untouched(s settings) bool { return fmt.Sprintf("%+v", s) == fmt.Sprintf("%+v", settings{}) }

func TestParametersAsLargeAsArgoCDCanHandOverAreRead(t *testing.T) {
	one := func(size int) string {
		const frame = `[{"name":"include","string":""}]`
		return strings.Replace(frame, `""`, `"`+strings.Repeat("a", size-len(frame))+`"`, 1)
	}
	if _, err := parseParameters(one(parameters.MaxSize), parameters.Plain); err != nil {
		t.Error(err)
	}
	if _, err := parseParameters(one(parameters.MaxSize+1), parameters.Plain); err == nil || !strings.Contains(err.Error(), "are larger than") {
		t.Errorf("refused with %v", err)
	}
}
