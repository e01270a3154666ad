package expression

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
)

// What the library says of a name that is not there (expr, checker).
var (
	noName  = regexp.MustCompile(`^unknown name .*\)$`)
	noField = regexp.MustCompile(`^type (\S+) has no (?:field|method) (.*\))$`)
)

// kinds are the types that the library may name, and what people call them.
var kinds = []struct {
	of     reflect.Type
	called string
}{
	{reflect.TypeFor[freight.Image](), "image"},
	{reflect.TypeFor[CommitFound](), "commit"},
	{reflect.TypeFor[ChartFound](), "chart"},
	{reflect.TypeFor[Request](), "request"},
	{reflect.TypeFor[time.Time](), "date"},
	{reflect.TypeFor[time.Duration](), "duration"},
	{reflect.TypeFor[time.Month](), "month"},
	{reflect.TypeFor[time.Weekday](), "weekday"},
	{reflect.TypeFor[string](), "string"},
}

// plain takes Go's names of types out of what the library says.
var plain = func() *strings.Replacer {
	var pairs []string
	for _, k := range kinds {
		pairs = append(pairs, k.of.String(), k.called)
	}
	return strings.NewReplacer(pairs...)
}()

// told is what people are told of an expression over a view that is none: where a
// name or a field is not there, with those that are.
func told(err error, view any) string {
	line := firstLine(err)
	if noName.MatchString(line) {
		return line + ": an expression here sees " + strings.Join(partsOf(reflect.TypeOf(view)), ", ")
	}
	missing := noField.FindStringSubmatch(line)
	for _, k := range kinds {
		if missing == nil || missing[1] != k.of.String() {
			continue
		}
		line = fmt.Sprintf("%s has no field %s", k.called, missing[2])
		if parts := partsOf(k.of); len(parts) > 0 {
			line += ": it has " + strings.Join(parts, ", ")
		}
		return line
	}
	return plain.Replace(line)
}

// partsOf names the fields of a type, and the methods that may be called.
func partsOf(t reflect.Type) []string {
	var parts []string
	if t.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(t) {
			if name, tagged := f.Tag.Lookup("expr"); tagged {
				parts = append(parts, name)
			} else if f.IsExported() {
				parts = append(parts, f.Name)
			}
		}
	}
	for _, name := range methods {
		if _, has := t.MethodByName(name); has {
			parts = append(parts, name+"()")
		}
	}
	return parts
}
