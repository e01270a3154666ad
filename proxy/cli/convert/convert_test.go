package convert

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// Whatever settings an Application has, in whatever style they are written, they
// move and come back the same.
func TestSettingsComeBackWhateverTheyAre(t *testing.T) {
	for seed := range uint64(300) {
		r := &writer{rand.New(rand.NewPCG(seed, 1))}
		kind := parameters.Kinds()[seed%3]
		indent := style{step: 2 + 2*int(seed%2), indented: r.one()}
		written, err := indent.encode(r.application(kind))
		if err != nil {
			t.Fatal(err)
		}
		moved, err := Convert([]byte(written), Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if a := moved.Applications[0]; len(a.Obstacles) > 0 {
			t.Fatalf("it cannot move: %v\n%s", a.Obstacles, written)
		}
		comesBack(t, written, moved)
	}
}

// writer makes Applications up.
type writer struct{ *rand.Rand }

func (w *writer) one() bool { return w.IntN(2) == 0 }

var odd = []string{
	"", "a", "yes", "on", "null", "~", "true", "1", "1.30", "0777", "1e3", "2024-01-01", "a: b", "# no comment", "- a", "{a}", "[a", "*a", "&a", "!a", "%a", "@a", "`a", "'", `"`,
	" a", "a ", "two\nlines", "two\nlines\n", "\n", "  two\n lines\n\n", "a\tb", "ü", "日本", "a=b:c@d", "---", "...", "a\n---\nb", "a\n# b\n", "? a", ": a", "<<", "=",
}

func (w *writer) text() *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: odd[w.IntN(len(odd))]}
	n.Style = []yaml.Style{0, yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle, yaml.LiteralStyle, yaml.FoldedStyle}[w.IntN(5)]
	if n.Style == 0 {
		n.SetString(n.Value) // the encoder quotes where it must
	}
	if n.Value == "" && n.Style != 0 || strings.HasSuffix("\n"+n.Value, "\n\n") || strings.HasPrefix(n.Value, " ") {
		// A block that ends in blank lines is refused, and one that begins with
		// blanks the library writes wrongly.
		n.Style = yaml.DoubleQuotedStyle
	}
	if w.IntN(6) == 0 && !strings.Contains(n.Value, "\n") {
		n.LineComment = "# beside"
	}
	return n
}

func (w *writer) key(i int) *yaml.Node {
	n := quoted(fmt.Sprintf("%s%d", strings.TrimSpace(odd[w.IntN(len(odd))]), i))
	if w.IntN(6) == 0 {
		n.HeadComment = "# above"
	}
	return n
}

func (w *writer) list(item func(i int) *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range w.IntN(4) {
		n.Content = append(n.Content, item(i))
	}
	return n
}

func (w *writer) fields(item func(i int) *yaml.Node) *yaml.Node {
	n := mapping()
	for i := range w.IntN(4) {
		n.Content = append(n.Content, w.key(i), item(i))
	}
	if w.IntN(4) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func (w *writer) truth() *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(w.one())}
}

// any is a value of no known shape.
func (w *writer) any(depth int) *yaml.Node {
	switch n := w.IntN(5); {
	case n == 0 && depth > 0:
		return w.list(func(int) *yaml.Node { return w.any(depth - 1) })
	case n == 1 && depth > 0:
		return w.fields(func(int) *yaml.Node { return w.any(depth - 1) })
	case n == 2:
		return w.truth()
	case n == 3:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(w.IntN(100))}
	default:
		return w.text()
	}
}

func (w *writer) value(kind parameters.Kind, field parameters.Native) *yaml.Node {
	name := func(i int) entry { return entry{text("name"), w.key(i)} }
	switch {
	case field.Shape == parameters.Document && field.Field == parameters.Patches:
		return w.list(func(int) *yaml.Node { return w.any(2) })
	case field.Shape == parameters.Document:
		return w.fields(func(int) *yaml.Node { return w.any(2) })
	case field.Shape == parameters.Counts:
		return w.list(func(i int) *yaml.Node {
			return mapping(name(i), entry{text("count"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(w.IntN(9))}})
		})
	case field.Shape == parameters.Sets:
		return w.list(func(i int) *yaml.Node {
			return mapping(name(i), entry{text("value"), w.text()}, entry{text("forceString"), w.truth()})
		})
	case field.Shape == parameters.Files:
		return w.list(func(i int) *yaml.Node { return mapping(name(i), entry{text("path"), w.file(i)}) })
	case field.Field == parameters.ValueFiles, field.Field == parameters.Components:
		return w.list(w.file)
	}
	for _, p := range parameters.Of(kind) {
		switch {
		case p.Name != field.Field:
		case p.Form == parameters.Boolean:
			return w.truth()
		case p.Form == parameters.List:
			return w.list(func(int) *yaml.Node { return w.text() })
		case p.Form == parameters.Map:
			return w.fields(func(int) *yaml.Node { return w.text() })
		}
	}
	return w.text()
}

func (w *writer) file(i int) *yaml.Node { return text(fmt.Sprintf("values-%d.yaml", i)) }

func (w *writer) application(kind parameters.Kind) *yaml.Node {
	settings := mapping()
	all := parameters.NativeOf(kind)
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// Two kinds have a namespace, which alone does not tell which it is.
	sure := map[parameters.Kind]string{parameters.Kustomization: parameters.NamePrefix, parameters.Chart: parameters.ReleaseName, parameters.Plain: parameters.Exclude}[kind]
	settings.Content = append(settings.Content, text(sure), text("x"))
	for _, field := range all {
		if field.Obstacle != "" || field.Field == sure || w.one() {
			continue
		}
		key := text(field.Field)
		if w.IntN(5) == 0 {
			key.HeadComment = "# on " + field.Field
		}
		settings.Content = append(settings.Content, key, w.value(kind, field))
	}
	source := mapping(entry{text("path"), text("apps/shop")}, entry{text(string(kind)), settings}, entry{text("repoURL"), text("https://git.example.com/shop.git")})
	return mapping(
		entry{text("apiVersion"), text("argoproj.io/v1alpha1")},
		entry{text("kind"), text(kindApplication)},
		entry{text("metadata"), mapping(entry{text("name"), text("shop")})},
		entry{text("spec"), mapping(entry{text("source"), source}, entry{text("project"), text("default")})},
	)
}

func TestSettingsLargerThanAVariableStay(t *testing.T) {
	const head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop\nspec:\n  source:\n    path: a\n    helm:\n      values: |\n"
	for lines, want := range map[int]bool{1200: false, 1400: true} {
		result, err := Convert([]byte(head+strings.Repeat("        a: "+strings.Repeat("x", 90)+"\n", lines)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(result.Applications[0].Obstacles) > 0; got != want {
			t.Errorf("%d lines: stays is %v", lines, got)
		}
	}
}

func TestTheSmallestFoldersThatCoverWhatIsRead(t *testing.T) {
	for want, folders := range map[string][]string{
		"/apps/shop;/base": {"base", "apps/shop", "base/conf", "base"},
		"/":                {"apps", ".", "base"},
		"/a;/ab":           {"ab", "a", "a/b"},
	} {
		if diff := cmp.Diff(want, (&Reads{folders: folders}).Value()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", folders, diff)
		}
	}
}

func TestAPresentAnnotationIsHeldAgainstWhatIsRead(t *testing.T) {
	reads := &Reads{folders: []string{"apps/overlays/prod", "apps/base"}}
	for annotation, want := range map[string]string{
		".":                    "/apps/base",
		".;../../base":         "",
		"/apps":                "",
		"/":                    "",
		"/apps/base":           "/apps/overlays/prod",
		"/apps/*":              "",
		"/apps/bas;.;":         "/apps/base",
		"/apps/base/;./":       "",
		"/apps/base/x.yaml;./": "/apps/base",
	} {
		if got := strings.Join(reads.beyond(annotation, "apps/overlays/prod"), ";"); got != want {
			t.Errorf("%s lacks %q, want %q", annotation, got, want)
		}
	}
}
