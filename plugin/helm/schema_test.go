package helm_test

import (
	"strings"
	"testing"
)

// Argo CD writes a refusal into the Application's status: one that changed its
// words would change the status at each render.
func TestASchemasRefusalIsTheSameEachTime(t *testing.T) {
	const times = 50
	for name, test := range map[string]struct{ schema, values, want string }{
		"several values": {
			`{"properties": {"a": {"minimum": 1}, "b": {"minimum": 1}, "c": {"required": ["d", "e"]}}}`, "{a: 0, b: 0, c: {}}",
			"at '/a': minimum: got 0, want 1; at '/b': minimum: got 0, want 1; at '/c': missing properties 'd', 'e'",
		},
		"values that it does not name": {
			`{"additionalProperties": false}`, "{a: 1, b: 2, c: 3, d: 4}",
			"at '': additional properties 'a', 'b', 'c', 'd' not allowed",
		},
		"names that are not allowed": {
			`{"propertyNames": {"maxLength": 1}, "dependentRequired": {"aa": ["c"], "bb": ["c"]}}`, "{aa: 1, bb: 2}",
			"at '': maxLength: got 2, want 1; at '': properties 'c' required, if 'aa' exists; at '': properties 'c' required, if 'bb' exists",
		},
		"values that are parts of one another": {
			`{"properties": {"auth": {"required": ["crossword"]}}}`, "{auth: {a: cross, b: crossword, c: word}}",
			"at '/auth': missing property '…': set",
		},
		"values that overlap": {
			`{"properties": {"auth": {"required": ["crossword"]}}}`, "{auth: {a: ssword, b: crossw}}",
			"at '/auth': missing property '…ord': set",
		},
		"a schema that is none": {
			`{"properties": {"a": {"minimum": "x"}, "b": {"maximum": "x"}, "c": {"required": 1}}}`, "{}",
			"it is no JSON Schema: at '/properties/a/minimum': got string, want number; at '/properties/b/maximum': got string, want number; at '/properties/c/required': got number, want array: mend the chart",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"Chart.yaml": []byte(chartFile), "values.yaml": []byte(test.values), "values.schema.json": []byte(test.schema)}
			for range times {
				if got := refused(t, files); !strings.Contains(got, test.want) {
					t.Fatalf("refused with %q, want %q in it", got, test.want)
				}
			}
		})
	}
}
