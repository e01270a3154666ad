package manifest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

func TestParseReadsWhatArgoCDWouldApply(t *testing.T) {
	configMap := func(name string) manifest.Object {
		return manifest.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}}
	}
	tests := []struct {
		name, text string
		want       []manifest.Object
	}{
		{name: "nothing", text: ""},
		{name: "comments and empty documents", text: "# a\n---\n---\n# b\n--- # c\nnull\n"},
		{
			name: "several documents",
			text: "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n--- # second\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n...\n",
			want: []manifest.Object{configMap("a"), configMap("b")},
		},
		{
			name: "dashes in a block of text, which mark nothing",
			text: "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    ---\n    -----BEGIN\n",
			want: []manifest.Object{{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": "---\n-----BEGIN\n"}}},
		},
		{
			name: "Windows line ends and a byte order mark",
			text: "\ufeffapiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\n---\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: b}\r\n",
			want: []manifest.Object{configMap("a"), configMap("b")},
		},
		{
			name: "lists, also within lists",
			text: `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMapList, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}, null, {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}]}`,
			want: []manifest.Object{configMap("a"), configMap("b")},
		},
		{name: "a list of null", text: "{apiVersion: v1, kind: ConfigMapList, items: null}"},
		{
			name: "JSON documents one after another",
			text: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + "\n\t" + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\u0062"}}`,
			want: []manifest.Object{configMap("a"), configMap("b")},
		},
		{
			name: "numbers with their value",
			text: "{apiVersion: v1, kind: K, a: 9223372036854775807, b: 18446744073709551615, c: 9007199254740993, d: 1.5, e: 2.0, f: 0x10, g: 1e3}",
			want: []manifest.Object{{
				"apiVersion": "v1", "kind": "K", "a": int64(9223372036854775807), "b": uint64(18446744073709551615),
				"c": int64(9007199254740993), "d": 1.5, "e": int64(2), "f": int64(16), "g": int64(1000),
			}},
		},
		{
			name: "words as YAML 1.1 has them, and the last of equal keys",
			text: "{apiVersion: v1, kind: K, a: on, b: \"on\", c: 2026-03-04, d: first, d: last}",
			want: []manifest.Object{{"apiVersion": "v1", "kind": "K", "a": true, "b": "on", "c": "2026-03-04", "d": "last"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := manifest.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefusesWhatIsNoObject(t *testing.T) {
	for _, text := range []string{"just text", "7", "- a\n- b", "spec: {}", "kind: 7\napiVersion: v1", "kind: ConfigMap", "{apiVersion: v1, kind: List, items: [7]}"} {
		if _, err := manifest.Parse([]byte(text)); !errors.Is(err, manifest.ErrNoObject) {
			t.Errorf("Parse(%q): %v, want %v", text, err, manifest.ErrNoObject)
		}
	}
	for _, text := range []string{"a: {", "a: b: c", "\x00", "{apiVersion: v1, kind: K, a: .inf}", `{"apiVersion":"v1","kind":"K","a":1e999}`} {
		if got, err := manifest.Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseReturnsTheObjectsBeforeAnError(t *testing.T) {
	got, err := manifest.Parse([]byte("apiVersion: v1\nkind: ConfigMap\n---\na: {\n"))
	if err == nil || !strings.Contains(err.Error(), "document 2") || len(got) != 1 {
		t.Errorf("Parse = %v, %v, want one object and an error that names document 2", got, err)
	}
}

func TestExpandingAliasesIsBounded(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("apiVersion: v1\nkind: K\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		before, this := string(rune('0'+i-1)), string(rune('0'+i))
		if i > 9 {
			before, this = string(rune('a'+i-11)), string(rune('a'+i-10))
		}
		if i == 10 {
			before = "9"
		}
		bomb.WriteString("a" + this + ": &a" + this + " [" + strings.Repeat("*a"+before+",", 9) + "*a" + before + "]\n")
	}
	if _, err := manifest.Parse([]byte(bomb.String())); err == nil {
		t.Error("a document that expands to 10^12 elements is read")
	}
}

func TestWriteGivesTheSameObjectsBack(t *testing.T) {
	objects := []manifest.Object{
		{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{
			"switch": "on", "number": "7", "version": "1.10", "text": "a\n  b\n", "tab": "\ta", "emoji": "😀", "delete": "a\x7fb",
			"dashes": "---\nkind: Other\n", "empty": "", "null": "null", "colon": "a: b", "hash": "a #b", "date": "2026-03-04", "octal": "0755",
		}},
		{"apiVersion": "v1", "kind": "K", "a": int64(-1), "b": uint64(18446744073709551615), "c": 1e300, "d": nil, "e": true, "f": []any{}, "g": map[string]any{}},
	}
	var out bytes.Buffer
	if err := manifest.Write(&out, objects); err != nil {
		t.Fatal(err)
	}
	got, err := manifest.Parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(objects, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse feeds manifests: whatever is read is written and read again as the
// same objects with the same digest.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nkind: ConfigMap\ndata: {a: on, b: 0755, c: 1e3, d: ~}\n",
		"apiVersion: v1\nkind: K\na: &x {b: c}\nd:\n  <<: *x\n---\napiVersion: v1\nkind: K\n",
		`{"apiVersion":"v1","kind":"K","n":9223372036854775808,"s":"\ud83d\ude00\u007f"}`,
		"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: K}]}",
		"--- |\n---\n...\n%YAML 1.1\n---", "\ufeff", "a: !!binary aGk=", "1: a\n\"1\": b\napiVersion: v1\nkind: K\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, err := manifest.Parse(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := manifest.Write(&out, objects); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := manifest.Parse(out.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, out.String())
		}
		if diff := cmp.Diff(objects, again); diff != "" {
			t.Errorf("not the same objects:\n%s", diff)
		}
		first, err := manifest.Digest(objects)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := manifest.Digest(again); first != second {
			t.Errorf("the digest %s becomes %s", first, second)
		}
	})
}
