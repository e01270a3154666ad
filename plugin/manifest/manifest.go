// Package manifest reads and writes Kubernetes manifests the way Argo CD does.
//
// What counts is what Argo CD and the cluster will make of a document, not how
// it looks: "on" without quotes is true to them, and of two equal keys the last
// one wins. So documents are read with the library that they use, and pins and
// digests see exactly the objects that will be applied.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// MaxSize bounds the manifests of one Application, in bytes: the largest
// message that Argo CD takes from a plugin by default.
const MaxSize = 100 << 20

// Object is one Kubernetes object. Its values are map[string]any, []any,
// string, bool, nil, and int64, uint64 or float64 for numbers: an integer is
// never a float64, so that large ones stay exact.
type Object map[string]any

// APIVersion returns the object's apiVersion.
func (o Object) APIVersion() string { return o.text("apiVersion") }

// Kind returns the object's kind.
func (o Object) Kind() string { return o.text("kind") }

// Group returns the API group, empty for the core group.
func (o Object) Group() string {
	group, _, found := strings.Cut(o.APIVersion(), "/")
	if !found {
		return ""
	}
	return group
}

// Name returns metadata.name, which generateName may stand in for.
func (o Object) Name() string { return o.metadata("name") }

// Namespace returns metadata.namespace.
func (o Object) Namespace() string { return o.metadata("namespace") }

// String names the object for people: Deployment shop/api.
func (o Object) String() string {
	name := o.Name()
	if name == "" {
		name = o.metadata("generateName") + "*"
	}
	if namespace := o.Namespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return o.Kind() + " " + name
}

func (o Object) text(field string) string {
	s, _ := o[field].(string)
	return s
}

func (o Object) metadata(field string) string {
	metadata, _ := o["metadata"].(map[string]any)
	s, _ := metadata[field].(string)
	return s
}

// ErrNoObject is the cause when a document is no Kubernetes object.
var ErrNoObject = errors.New("it is no Kubernetes object")

// Parse reads the objects of a YAML stream or of JSON. Empty documents are
// dropped and lists are taken apart, as Argo CD does. On an error it returns
// the objects before it too.
func Parse(data []byte) ([]Object, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the manifests are larger than %d MiB", MaxSize>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if looksLikeJSON(data) {
		objects, err := parseJSON(data)
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return objects, err
		}
		// A YAML document may begin with a brace too.
	}
	var objects []Object
	for i, document := range split(data) {
		text, err := yaml.YAMLToJSON(document)
		if err != nil {
			return objects, fmt.Errorf("document %d: %w", i+1, err)
		}
		if objects, err = appendDocument(objects, text); err != nil {
			return objects, fmt.Errorf("document %d: %w", i+1, err)
		}
	}
	return objects, nil
}

// FromJSON reads one object. Numbers keep their value, whatever their size.
func FromJSON(data []byte) (Object, error) {
	value, err := decode(json.NewDecoder(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	return object(value)
}

// Write writes the objects as a YAML stream in their order, in the form that
// kustomize has: keys sorted, no comments, no anchors. The same objects are
// always the same bytes. It uses the library below sigs.k8s.io/yaml, whose way
// through JSON would cost time and some control characters.
func Write(w io.Writer, objects []Object) error {
	for i, o := range objects {
		text, err := goyaml.Marshal(map[string]any(o))
		if err != nil {
			return fmt.Errorf("%s cannot be written: %w", o, err)
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

func looksLikeJSON(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

func parseJSON(data []byte) ([]Object, error) {
	var objects []Object
	decoder := json.NewDecoder(bytes.NewReader(data))
	for decoder.More() {
		value, err := decode(decoder)
		if err != nil {
			return objects, err
		}
		if objects, err = appendObjects(objects, value); err != nil {
			return objects, err
		}
	}
	return objects, nil
}

func appendDocument(objects []Object, text []byte) ([]Object, error) {
	value, err := decode(json.NewDecoder(bytes.NewReader(text)))
	if err != nil {
		return objects, err
	}
	return appendObjects(objects, value)
}

// appendObjects adds a document: nothing for an empty one, and for a list what
// stands in it.
func appendObjects(objects []Object, value any) ([]Object, error) {
	if value == nil {
		return objects, nil
	}
	o, err := object(value)
	if err != nil {
		return objects, err
	}
	items, found := o["items"]
	if elements, ok := items.([]any); ok {
		for i, element := range elements {
			if objects, err = appendObjects(objects, element); err != nil {
				return objects, fmt.Errorf("item %d of %s: %w", i+1, o.Kind(), err)
			}
		}
		return objects, nil
	}
	if found && items == nil && strings.HasSuffix(o.Kind(), "List") {
		return objects, nil
	}
	return append(objects, o), nil
}

func object(value any) (Object, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, ErrNoObject
	}
	o := Object(fields)
	if o.Kind() == "" {
		return nil, fmt.Errorf("%w, its kind is missing", ErrNoObject)
	}
	if o.APIVersion() == "" {
		return nil, fmt.Errorf("%w, the apiVersion of %s is missing", ErrNoObject, o)
	}
	return o, nil
}

// decode reads the next JSON value with its numbers exact.
func decode(decoder *json.Decoder) (any, error) {
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return exact(value)
}

// exact replaces each json.Number: what is an integer in value becomes one, as
// 1 and 1.0 are the same to the cluster.
func exact(value any) (any, error) {
	var err error
	switch value := value.(type) {
	case map[string]any:
		for k := range value {
			if value[k], err = exact(value[k]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range value {
			if value[i], err = exact(value[i]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		return number(value)
	}
	return value, nil
}

// maxExact is where a float64 stops to tell one integer from the next.
const maxExact = 1 << 53

func number(n json.Number) (any, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, nil
	}
	if u, err := strconv.ParseUint(n.String(), 10, 64); err == nil {
		return u, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, errors.New("a number is out of range")
	}
	if -maxExact <= f && f <= maxExact && f == float64(int64(f)) {
		return int64(f), nil
	}
	return f, nil
}
