package convert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// Whatever a file holds, it is either left as it is, or what moves comes back as
// the Application that it was, and moving it once more changes nothing.
func FuzzConvert(f *testing.F) {
	files, err := filepath.Glob("../testdata/convert/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), i%2 == 0, i%3 == 0)
	}
	f.Fuzz(func(t *testing.T, text string, bound, unpinned bool) {
		options := Options{AllowUnpinned: unpinned}
		if bound {
			options.Stage = "shop/prod"
		}
		moved, err := Convert([]byte(text), options)
		if err != nil {
			if moved.Text != nil {
				t.Fatal("there is text beside an error")
			}
			return
		}
		changed := false
		for _, a := range moved.Applications {
			if a.Changed && len(a.Obstacles) > 0 {
				t.Fatalf("%s cannot move, and is changed", a.Name)
			}
			changed = changed || a.Changed
		}
		if !changed {
			if string(moved.Text) != text || len(moved.Changes) > 0 {
				t.Fatal("nothing moved, and the text is another one")
			}
			return
		}
		if got := patched(text, moved.Changes); got != string(moved.Text) {
			t.Fatalf("the changes do not make the text:\n%s", cmp.Diff(string(moved.Text), got))
		}
		again, err := Convert(moved.Text, options)
		if err != nil || string(again.Text) != string(moved.Text) {
			t.Fatalf("moved once more it changes: %v\n%s", err, cmp.Diff(string(moved.Text), string(again.Text)))
		}
		if !strings.Contains(text, "waybill") && !strings.Contains(text, `\`) { // it may have been there before
			comesBack(t, text, moved)
		}
	})
}

func comesBack(t *testing.T, text string, moved Result) {
	t.Helper()
	back, err := Convert(moved.Text, Options{Back: true})
	if err != nil {
		t.Fatalf("it does not come back: %v\n%s", err, moved.Text)
	}
	for i, a := range back.Applications {
		switch {
		case len(a.Obstacles) == 0:
		case strings.HasSuffix(a.Obstacles[0].Reason, "take namespace"):
			return // which kind, a clone tells
		case moved.Applications[i].Changed:
			t.Fatalf("it does not come back: %s\n%s", a.Obstacles[0], moved.Text)
		}
	}
	before, ok := meaning(text)
	if !ok {
		return // kubectl does not take it either
	}
	after, ok := meaning(string(back.Text))
	if !ok {
		t.Fatalf("it comes back as what kubectl does not take:\n%s", back.Text)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Fatalf("it comes back as another Application (-before +after):\n%s\n%s", diff, moved.Text)
	}
}

// meaning is what kubectl reads in a file, as far as Argo CD makes a difference.
func meaning(text string) ([]any, bool) {
	s, err := read([]byte(text))
	if err != nil {
		return nil, false
	}
	var all []any
	for _, document := range s.documents {
		written, err := s.style.encode(document)
		if err != nil {
			return nil, false
		}
		var resource any
		if yaml.UnmarshalStrict([]byte(written), &resource) != nil {
			return nil, false
		}
		all = append(all, withoutZeros(resource, ""))
	}
	return all, true
}

// withoutZeros leaves out what Argo CD does not write, the annotations of
// conversion, and the order of what are sets to Argo CD.
func withoutZeros(value any, field string) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			inner = withoutZeros(inner, key)
			value[key] = inner
			if key == annotationStage || key == annotationPaths || isEmpty(inner) && key != "valuesObject" {
				delete(value, key)
			}
		}
	case []any:
		for i, inner := range value {
			value[i] = withoutZeros(inner, field)
		}
		if field == "parameters" || field == "fileParameters" || field == "replicas" {
			slices.SortFunc(value, func(a, b any) int { return strings.Compare(named(a), named(b)) })
		}
	case float64:
		if field == "count" {
			return strings.TrimSuffix(string(must(yaml.Marshal(value))), "\n")
		}
	case bool:
		if field == "forceString" && !value {
			return nil
		}
	}
	return value
}

func named(value any) string {
	fields, _ := value.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		return false
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// patched makes changes by their lines.
func patched(text string, changes []Change) string {
	var out strings.Builder
	lines := strings.SplitAfter(text, "\n")
	at := 0
	for _, c := range changes {
		for ; at < c.Line-1; at++ {
			out.WriteString(lines[at])
		}
		for _, line := range c.New {
			out.WriteString(line)
		}
		at += len(c.Old)
	}
	for ; at < len(lines); at++ {
		out.WriteString(lines[at])
	}
	return out.String()
}
