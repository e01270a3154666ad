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
			"at '/a': minimum; at '/b': minimum; at '/c': required: 'd', 'e': set",
		},
		"values that it does not name": {
			`{"additionalProperties": false}`, "{a: 1, b: 2, c: 3, d: 4}",
			"at '': additionalProperties: 'a', 'b', 'c', 'd': set",
		},
		"names that are not allowed": {
			`{"propertyNames": {"maxLength": 1}, "dependentRequired": {"aa": ["c"], "bb": ["c"]}}`, "{aa: 1, bb: 2}",
			"at '': dependentRequired: 'c', where there is 'aa'; at '': dependentRequired: 'c', where there is 'bb'; at '': maxLength: set",
		},
		"values that nothing names as secret": {
			`{"properties": {"pin": {"maximum": 1}, "who": {"enum": ["a"]}, "what": {"pattern": "^b"}, "which": {"const": 1}, "none": false}}`, "{pin: 771177, who: hunter2, what: hunter2, which: 2, none: 3}",
			"at '/none': nothing is allowed there; at '/pin': maximum; at '/what': pattern; at '/which': const; at '/who': enum: set",
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
