package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// compiled is the schema as an editor reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(pipeline.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("pipeline.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("pipeline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func valid(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	document, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(document)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestTheSchemaAllowsEveryGoodDocument(t *testing.T) {
	schema := compiled(t)
	for name, text := range goodDocuments() {
		if err := valid(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An editor marks what can be told of one field alone.
func TestTheSchemaRefusesWhatAnEditorCanTell(t *testing.T) {
	schema := compiled(t)
	told := []string{
		"an unknown field", "an unknown field of a stage", "a field in the wrong case", "a subscription to something else",
		"a list for a string", "nothing for a string", "a word for a list", "a mapping for a list", "a word for a mapping", "a word for a number",
		"a fraction for a number", "a number in quotes", "a word for a switch", "a switch in quotes", "a day", "a list for a duration", "nothing for an origin",
		"a day for a time", "no version", "a version to come", "no project", "no field at all",
		"a warehouse without a name", "a name in upper case", "a name of 64 letters", "no subscription", "a subscription to nothing", "a subscription to two things",
		"too many subscriptions", "an unknown policy", "a strategy for images that is none", "a strategy for commits that is none", "a limit of too many",
		"a limit below nothing", "no Git repository", "no chart repository", "no freight", "an origin of another kind", "no sources",
		"an unknown availability strategy", "an approval by nobody", "an approval by a crowd", "an unknown exclusion",
	}
	all := problems()
	for _, name := range told {
		i := slices.IndexFunc(all, func(p problem) bool { return p.name == name })
		if i < 0 {
			t.Errorf("there is no problem %q", name)
			continue
		}
		if valid(t, schema, all[i].text) == nil {
			t.Errorf("%s: the schema allows what Parse refuses: %s", name, all[i].want[0])
		}
	}
}
