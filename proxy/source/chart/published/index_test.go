package published

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told shows what was read: "db 1.0.0 sha256:… url".
func told(l Listing) []string {
	var all []string
	for _, v := range l.Versions {
		all = append(all, strings.TrimSpace(v.Version+" "+v.Digest+" "+v.URL))
	}
	return append(all, l.Broken...)
}

func TestAnIndexIsReadHoweverItIsWritten(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	entry := "1.0.0 sha256:" + sum + " db-1.0.0.tgz"
	for name, test := range map[string]struct {
		index string
		want  []string
		names []string
	}{
		"as Helm writes it": {
			"apiVersion: v1\nentries:\n  cache:\n  - version: 9.9.9\n  db:\n  - apiVersion: v2\n    digest: " + sum + "\n    urls:\n    - db-1.0.0.tgz\n    version: 1.0.0\n  - version: 0.9.0\n  web:\n  - version: 1.0.0\ngenerated: \"2026-01-01T00:00:00Z\"\n",
			[]string{entry, "0.9.0"}, []string{"cache", "db", "web"},
		},
		"with lists further in, and comments": {
			"# of ours\n---\nentries: # all\n# none\n\n    'db' :\n      # first\n      - version: \"1.0.0\"\n        digest: sha256:" + strings.ToUpper(sum) + "\n        urls: [db-1.0.0.tgz]\n\n      -\n        version: 0.9.0\n    \"web\":\n      - version: 1.0.0\napiVersion: v1",
			[]string{entry, "0.9.0"}, []string{"db", "web"},
		},
		"with Windows line ends and a byte order mark": {
			"\ufeffapiVersion: v1\r\nentries:\r\n  db:\r\n  - version: 1.0.0\r\n    urls:\r\n    - db-1.0.0.tgz\r\n    digest: " + sum + "\r\n",
			[]string{entry}, []string{"db"},
		},
		"with a text of several lines that looks like a chart": {
			"entries:\n  cache:\n  - version: 1.0.0\n    description: |\n      entries:\n        db:\n        - version: 6.6.6\n  db:\n  - version: 1.0.0\n",
			[]string{"1.0.0"}, []string{"cache", "db"},
		},
		"in flow style": {
			"entries:\n  db: [{version: 1.0.0, digest: " + sum + ", urls: [db-1.0.0.tgz]}, {version: 0.9.0}]\n  web: []\n",
			[]string{entry, "0.9.0"}, []string{"db", "web"},
		},
		"as JSON": {
			`{"apiVersion":"v1","entries":{"web":[],"db":[{"version":"1.0.0","digest":"` + sum + `","urls":["db-1.0.0.tgz","x"]},{"version":7}]}}`,
			[]string{entry, "7"}, []string{"db", "web"},
		},
		"with broken entries": {
			"entries:\n  db:\n  - version: [\n  - version: 1.0.0\n  - just text\n  - version: latest\n  - name: db\n  - urls: {}\n    version: 2.0.0\n  - version: 0.9.0\n    digest: abc\n",
			[]string{
				"1.0.0", "0.9.0",
				"an entry of chart db cannot be read: publish it again", "an entry of chart db cannot be read: publish it again",
				`an entry of chart db has the version "latest", which is none: publish it again`, `an entry of chart db has the version "", which is none: publish it again`,
				"an entry of chart db cannot be read: publish it again",
			}, []string{"db"},
		},
		"without the chart": {"entries:\n  web:\n  - version: 1.0.0\n", nil, []string{"web"}},
		"without charts":    {"apiVersion: v1\nentries: {}\n", nil, nil},
		"without entries":   {"apiVersion: v1\nentries:\ngenerated: x\n", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, names, err := Index([]byte(test.index), map[string]bool{"db": true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, told(found["db"])); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoIndexIsTold(t *testing.T) {
	for index, want := range map[string]string{
		"":                       "it has no entries",
		"<html>\n</html>":        "it has no entries",
		"{":                      "it is no JSON",
		"{}":                     "it has no entries",
		`{"entries":[]}`:         "its entries are no charts",
		`{"entries":{"db":{}}}`:  "the entries of chart db cannot be read",
		"entries: [db]":          "its entries are not written line by line",
		"entries:\n  db: x\n":    "the entries of chart db cannot be read",
		"entries:\n  - db\n":     `"- db" is not the name of a chart`,
		"entries:\n  a b\n":      `"a b" is not the name of a chart`,
		"  entries:\n    db: []": "it has no entries",
	} {
		if _, _, err := Index([]byte(index), map[string]bool{"db": true}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", index, err, want)
		}
	}
}

func TestTheVersionsOfAChartAreBounded(t *testing.T) {
	index := "entries:\n  db:\n" + strings.Repeat("  - version: 1.0.0\n", maxVersions+1)
	if _, _, err := Index([]byte(index), map[string]bool{"db": true}); err == nil || !strings.Contains(err.Error(), "more than 10000 versions") {
		t.Errorf("error %v", err)
	}
}

// Of a large index no more is taken apart than what is asked for.
func TestALargeIndexTakesLittleMemory(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("apiVersion: v1\nentries:\n")
	for i := range 300 {
		fmt.Fprintf(&text, "  chart-%d:\n", i)
		for j := range 30 {
			fmt.Fprintf(&text, "  - apiVersion: v2\n    description: %s\n    digest: %s\n    keywords:\n    - a\n    - b\n    name: chart-%d\n    urls:\n    - https://charts.example.com/chart-%d-1.%d.0.tgz\n    version: 1.%d.0\n",
				strings.Repeat("x", 200), strings.Repeat("ab", 32), i, i, j, j)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, names, err := Index(text.Bytes(), map[string]bool{"chart-7": true})
	runtime.ReadMemStats(&after)
	if err != nil || len(names) != 300 || len(found["chart-7"].Versions) != 30 {
		t.Fatalf("%d charts, %v, %v", len(names), found, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(text.Len()) {
		t.Errorf("reading one chart of an index of %d KiB takes %d KiB", text.Len()>>10, got>>10)
	}
}

// Whatever is sent is read, or refused in a sentence; of the wanted chart alone.
func FuzzIndex(f *testing.F) {
	f.Add("apiVersion: v1\nentries:\n  db:\n  - version: 1.0.0\n    urls: [a]\n  web:\n  - version: 2.0.0\n")
	f.Add("entries:\n    db:\n      - {version: 1.0.0}\n# x\n      -\n        version: 2\n")
	f.Add(`{"entries":{"db":[{"version":"1.0.0"}]}}`)
	f.Add("entries:\n  db: [{version: 1.0.0}]\n  \"web\": # x\n  - version: \"1\n  2\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, names, err := Index([]byte(text), map[string]bool{"db": true})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is no sentence", err)
			}
			return
		}
		for name := range found {
			if name != "db" || !slices.Contains(names, name) {
				t.Errorf("%q is found, of %q", slices.Collect(maps.Keys(found)), names)
			}
		}
		for _, v := range found["db"].Versions {
			if v.Version == "" || v.Digest != "" && len(v.Digest) != len("sha256:")+64 {
				t.Errorf("version %+v", v)
			}
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add(`{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"x"},"layers":[{"mediaType":"application/tar+gzip","digest":"sha256:`+strings.Repeat("ab", 32)+`"}]}`,
		`{"name":"db","version":"1.0.0","appVersion":"1","sources":["x"]}`)
	f.Fuzz(func(t *testing.T, manifest, config string) {
		v, _, err := Manifest("1.0.0", []byte(manifest))
		if err == nil && v.Digest == "" {
			t.Errorf("it has no digest: %s", manifest)
		}
		if err := v.Describe("db", []byte(config)); err == nil && len(v.AppVersion) > 2*maxText {
			t.Errorf("it tells %d bytes", len(v.AppVersion))
		}
	})
}
