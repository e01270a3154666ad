package helm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"helm.sh/helm/v3/pkg/chart"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
)

// schemaURL names a chart's schema for the library, as Helm does.
const schemaURL = "file:///values.schema.json"

// noReferences refuses the schemas that a schema refers to outside of itself.
// JSON Schema's own are known without being read.
type noReferences struct{}

// Load returns the error of a schema elsewhere.
func (noReferences) Load(url string) (any, error) {
	return nil, refusal.New("it refers to "+strings.TrimPrefix(url, "file:///")+", and a render reads no schema but values.schema.json itself",
		"put that schema into it ($defs), or set "+parameters.SkipSchemaValidation)
}

// checkSchemas checks the values of a chart and of all below it against their
// schemas (helm, chartutil, ValidateAgainstSchema), which may refer to nothing
// outside of themselves.
func checkSchemas(c *chart.Chart, values map[string]any) error {
	if c.Schema != nil {
		if err := checkSchema(c.Schema, values); err != nil {
			return fmt.Errorf("values.schema.json of the chart %s: %w", c.Name(), err)
		}
	}
	for _, below := range c.Dependencies() {
		inner, ok := values[below.Name()].(map[string]any)
		if !ok {
			return refusal.New(fmt.Sprintf("the values of the chart %s are no map", below.Name()), "mend them")
		}
		if err := checkSchemas(below, inner); err != nil {
			return err
		}
	}
	return nil
}

func checkSchema(text []byte, values map[string]any) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noReferences{})
	if err := compiler.AddResource(schemaURL, schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile(schemaURL)
	if err != nil {
		var elsewhere *jsonschema.LoadURLError
		if errors.As(err, &elsewhere) {
			return elsewhere.Err
		}
		var broken *jsonschema.SchemaValidationError
		var invalid *jsonschema.ValidationError
		if errors.As(err, &broken) && errors.As(broken.Err, &invalid) {
			return errors.New("it is no JSON Schema: " + violations(invalid))
		}
		return err
	}
	err = compiled.Validate(values)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return refusal.New(violations(invalid), "set values that it allows, or "+parameters.SkipSchemaValidation)
	}
	return err
}

// violations tells which value breaks which keyword of the schema, but neither the
// value nor what it is compared with: both may be secret. The library goes through
// maps, and what it found is put in order.
func violations(e *jsonschema.ValidationError) string {
	all := collectViolations(e)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "; ")
}

func collectViolations(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		return []string{fmt.Sprintf("at '%s': %s", pointer(e.InstanceLocation), violation(e.ErrorKind))}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, collectViolations(cause)...)
	}
	return all
}

// violation names a keyword; what it tells besides are names and types.
func violation(broken jsonschema.ErrorKind) string {
	switch broken := broken.(type) {
	case *kind.Type:
		return fmt.Sprintf("got %s, want %s", broken.Got, strings.Join(broken.Want, " or "))
	case *kind.Required:
		return "required: " + quoted(broken.Missing)
	case *kind.DependentRequired:
		return fmt.Sprintf("dependentRequired: %s, where there is '%s'", quoted(broken.Missing), broken.Prop)
	case *kind.AdditionalProperties:
		slices.Sort(broken.Properties)
		return "additionalProperties: " + quoted(broken.Properties)
	}
	if path := broken.KeywordPath(); len(path) > 0 {
		return strings.Join(path, "/")
	}
	return "nothing is allowed there"
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

// pointer writes a JSON pointer (RFC 6901).
func pointer(location []string) string {
	var text strings.Builder
	for _, step := range location {
		text.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return text.String()
}
