package pipeline

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode reads a YAML node into v and tells, for each problem, the path of the
// field: an unknown or repeated field, a value of the wrong type. The YAML
// library's own strict mode tells a line and stops at a type.
func decode(node *yaml.Node, v reflect.Value, path string, found *problems) {
	if node.Kind == yaml.AliasNode {
		found.add(path, "an alias (*%s) is not allowed: write the value out", node.Value)
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		decode(node, v.Elem(), path, found)
		return
	}
	if origin, ok := v.Addr().Interface().(*Origin); ok && node.Kind == yaml.ScalarNode && node.Tag != "!!null" {
		*origin = Origin{Kind: KindWarehouse, Name: node.Value}
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if node.Kind != yaml.ScalarNode || text.UnmarshalText([]byte(node.Value)) != nil {
			found.add(path, "%s is not %s", describe(node), expected(text))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		decodeStruct(node, v, path, found)
	case reflect.Slice:
		decodeSlice(node, v, path, found)
	default:
		decodeScalar(node, v, path, found)
	}
}

func decodeStruct(node *yaml.Node, v reflect.Value, path string, found *problems) {
	if node.Kind != yaml.MappingNode {
		found.add(path, "%s is not a mapping with fields (%s)", describe(node), strings.Join(fieldNames(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Kind != yaml.ScalarNode {
			found.add(path, "the name of a field must be plain text: allowed are %s", strings.Join(fieldNames(v.Type()), ", "))
			continue
		}
		key := node.Content[i].Value
		at := join(path, key)
		if seen[key] {
			found.add(at, "is given twice")
			continue
		}
		seen[key] = true
		field, ok := fieldNamed(v, key)
		if !ok {
			found.add(at, "unknown field: allowed are %s", strings.Join(fieldNames(v.Type()), ", "))
			continue
		}
		decode(node.Content[i+1], field, at, found)
	}
}

func decodeSlice(node *yaml.Node, v reflect.Value, path string, found *problems) {
	if node.Kind != yaml.SequenceNode {
		found.add(path, "%s is not a list", describe(node))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		decode(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
	}
}

func expected(text encoding.TextUnmarshaler) string {
	if _, ok := text.(*Timestamp); ok {
		return "a time: write for example 2026-01-31T00:00:00Z"
	}
	return "a duration: write for example 30s, 10m or 24h"
}

var kindNames = map[reflect.Kind]string{
	reflect.String: "a string", reflect.Bool: "true or false", reflect.Int: "a whole number",
}

func decodeScalar(node *yaml.Node, v reflect.Value, path string, found *problems) {
	// A version or a name that looks like a number stays what was written.
	if v.Kind() == reflect.String && node.Kind == yaml.ScalarNode && node.Tag != "!!null" {
		v.SetString(node.Value)
		return
	}
	// The YAML library would cut the fraction off 1.9.
	fraction := v.Kind() == reflect.Int && node.Tag == "!!float"
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || fraction || node.Decode(v.Addr().Interface()) != nil {
		found.add(path, "%s is not %s", describe(node), kindNames[v.Kind()])
	}
}

func fieldNames(t reflect.Type) []string {
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func fieldNamed(v reflect.Value, name string) (reflect.Value, bool) {
	for i, n := range fieldNames(v.Type()) {
		if n == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// maxShown bounds what is quoted of a wrong value, in bytes.
const maxShown = 40

func describe(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Tag == "!!null":
		return "nothing"
	default:
		return fmt.Sprintf("%q", clip(node.Value, maxShown))
	}
}
