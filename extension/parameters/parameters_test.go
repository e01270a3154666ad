package parameters_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// native are Argo CD's own types of the settings.
var native = map[parameters.Kind]reflect.Type{
	parameters.Kustomization: reflect.TypeFor[v1alpha1.ApplicationSourceKustomize](),
	parameters.Chart:         reflect.TypeFor[v1alpha1.ApplicationSourceHelm](),
	parameters.Plain:         reflect.TypeFor[v1alpha1.ApplicationSourceDirectory](),
}

func TestEveryFieldOfArgoCDIsKnownAndNoOther(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		var want, got []string
		for i := range native[kind].NumField() {
			want = append(want, nameOf(native[kind].Field(i)))
		}
		for _, field := range parameters.NativeOf(kind) {
			if !field.Newer {
				got = append(got, field.Field)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Argo CD +here):\n%s", kind, diff)
		}
	}
}

func TestEveryFieldHasAParameterOrAnObstacleWithARemedy(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		carried := []string{}
		for _, field := range parameters.NativeOf(kind) {
			_, found := parameters.FormOf(kind, field.Field)
			switch {
			case found == (field.Obstacle != ""):
				t.Errorf("%s.%s has both a parameter and an obstacle, or neither", kind, field.Field)
			case (field.Obstacle == "") != (field.Remedy == ""):
				t.Errorf("%s.%s has an obstacle without a remedy, or a remedy alone", kind, field.Field)
			case found:
				carried = append(carried, field.Field)
			}
		}
		for _, p := range parameters.Of(kind) {
			// The second map of helm.parameters.
			if p.Name != parameters.SetString && !slices.Contains(carried, p.Name) {
				t.Errorf("the parameter %s of %s carries no field", p.Name, kind)
			}
		}
	}
}

// The form of each parameter follows from the type that Argo CD gives the field.
func TestFormsAndShapesFollowArgoCDsTypes(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		for _, field := range parameters.NativeOf(kind) {
			if field.Obstacle != "" || field.Newer {
				continue
			}
			form, _ := parameters.FormOf(kind, field.Field)
			wantForm, wantShape := expected(typeOf(t, native[kind], field.Field))
			if form != wantForm || field.Shape != wantShape {
				t.Errorf("%s.%s is form %s, shape %d; Argo CD's type wants %s, %d", kind, field.Field,
					form.Field(), field.Shape, wantForm.Field(), wantShape)
			}
		}
	}
}

func expected(field reflect.Type) (parameters.Form, parameters.Shape) {
	switch field {
	case reflect.TypeFor[[]v1alpha1.HelmParameter]():
		return parameters.Map, parameters.Sets
	case reflect.TypeFor[[]v1alpha1.HelmFileParameter]():
		return parameters.Map, parameters.Files
	case reflect.TypeFor[v1alpha1.KustomizeReplicas]():
		return parameters.Map, parameters.Counts
	}
	switch {
	case field.Kind() == reflect.Bool:
		return parameters.Boolean, parameters.Same
	case field.Kind() == reflect.String:
		return parameters.Text, parameters.Same
	case field.Kind() == reflect.Map:
		return parameters.Map, parameters.Same
	case field.Kind() == reflect.Slice && field.Elem().Kind() == reflect.String:
		return parameters.List, parameters.Same
	default:
		return parameters.Text, parameters.Document
	}
}

// What the lists of {name, …} hold beside a name and a value would be lost in a
// map, so it must be known.
func TestTheEntriesOfListsHaveTheFieldsThatShapesName(t *testing.T) {
	for entry, want := range map[reflect.Type]string{
		reflect.TypeFor[v1alpha1.HelmParameter]():     "name value forceString",
		reflect.TypeFor[v1alpha1.HelmFileParameter](): "name path",
		reflect.TypeFor[v1alpha1.KustomizeReplica]():  "name count",
	} {
		var names []string
		for i := range entry.NumField() {
			names = append(names, nameOf(entry.Field(i)))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s has the fields %s, want %s", entry, got, want)
		}
	}
}

func TestNoNameIsGivenTwice(t *testing.T) {
	for _, kind := range parameters.Kinds() {
		seen := map[string]bool{}
		for _, p := range slices.Concat(parameters.Told(), parameters.Own(kind), parameters.Of(kind)) {
			if seen[p.Name] {
				t.Errorf("%s has two parameters %s", kind, p.Name)
			}
			seen[p.Name] = true
		}
	}
}

func typeOf(t *testing.T, settings reflect.Type, name string) reflect.Type {
	t.Helper()
	for i := range settings.NumField() {
		if nameOf(settings.Field(i)) == name {
			return settings.Field(i).Type
		}
	}
	t.Fatalf("%s has no field %s", settings, name)
	return nil
}

func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
