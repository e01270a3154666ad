package refusal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

func TestNoMessageTellsWhatALibraryQuotes(t *testing.T) {
	for _, text := range []string{
		"a.yaml cannot be read, document 1: error converting YAML to JSON: yaml: cannot decode !!str `hunter2` as a !!int",
		"yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `hunter2` into int",
		"yaml: line 3: cannot construct !!int `hunter2`",
		`yaml: invalid map key: map[interface {}]interface {}{"hunter2":"b"}`,
		`Unsupported map key of type: slice, key: []interface {}{"hunter2"}, value: "b"`,
		`yaml: unmarshal errors: line 2: mapping key "hunter2" already defined at line 1`,
		`yaml: unmarshal errors: line 2: key "hunter2" already set in map`,
		"yaml: unknown anchor 'hunter2' referenced",
		"json: cannot unmarshal number 4hunter2 into Go value of type int",
		`strconv.ParseInt: parsing "hunter2": invalid syntax`,
		`error calling mustToDate: parsing time "hunter2" as "2006": cannot parse "hunter2" as "2006"`,
		`error calling urlParse: unable to parse url: parse "postgres://a:hunter2": invalid port ":hunter2" after host`,
		"error calling mustRegexMatch: error parsing regexp: missing closing ): `(hunter2`",
		`error calling include: template: no template "hunter2" associated with template "gotpl"`,
		"error calling fail: cannot reach postgres://app:hunter2@db:5432/shop",
		"error calling fail: cannot reach postgres://app:x/hunter2@db:5432/shop",
		"error calling fail: cannot reach app:hunter2@tcp(db:3306)/shop",
		"error calling fail: cannot reach Server=db;Password=hunter2;",
	} {
		if got := Message(Subject{Application: "shop"}, Wrap(errors.New(text), "mend it")); strings.Contains(got, "hunter2") || !strings.Contains(got, ": mend it") {
			t.Errorf("%s\nis told as\n%s", text, got)
		}
		if once := Scrub(text); Scrub(once) != once {
			t.Errorf("scrubbed twice, %q becomes %q", once, Scrub(once))
		}
	}
}

// What the linked libraries say today, not what they said when this was written.
func TestNoMessageTellsWhatYAMLHolds(t *testing.T) {
	for _, document := range []string{
		"password: !!int hunter2", "password: !!float hunter2", "password: !!bool hunter2", "password: !!timestamp hunter2", "password: !!null hunter2",
		"password: !!binary hunter2-", "{hunter2: b}: c", "[hunter2]: c", "password: *hunter2", "&hunter2 a: *hunter2", "password: {<<: hunter2}", "password: [hunter2: a: b",
		"password: \"hunter2", "password: hunter2: a", "password: @hunter2", "password: !!map hunter2", "password: !!seq hunter2",
	} {
		_, err := yaml.YAMLToJSON([]byte(document))
		var into struct{ Password int }
		for _, err := range []error{err, yaml.Unmarshal([]byte(document), &into), yaml.UnmarshalStrict([]byte(document), &into), goyaml.UnmarshalStrict([]byte(document), &into)} {
			if err == nil {
				continue
			}
			if got := Message(Subject{}, fmt.Errorf("a.yaml: %w", err)); strings.Contains(got, "hunter2") {
				t.Errorf("%q is told as %s", document, got)
			}
		}
	}
}

func TestWhatIsNoSecretIsTold(t *testing.T) {
	for _, text := range []string{
		"registry.example.com:5000/shop/api:1.2.0@sha256:abc is pinned", "https://example.com:8443/a@b is remote", "git@example.com:a/b is remote",
		`its release name "a:b" is none`, "unset --token, or set passwords", "template: app/templates/a.yaml:3:4: executing \"app/templates/a.yaml\" at <.Values.a>: nil pointer",
	} {
		if got := Scrub(text); got != text {
			t.Errorf("%q is told as %q", text, got)
		}
	}
}
