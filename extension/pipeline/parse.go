package pipeline

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/freight"
)

// Parse reads the document of a pipeline, fills in the defaults and checks it.
// Its error is an *Invalid.
func Parse(name Name, text string) (Document, error) {
	var (
		doc   Document
		found problems
	)
	if node := document(text, &found); node != nil {
		decode(node, reflect.ValueOf(&doc).Elem(), "", &found)
	}
	// What could not be read would only repeat itself in the checks.
	if len(found) == 0 {
		doc.setDefaults()
		doc.check(&found)
	}
	if len(found) > 0 {
		return Document{}, &Invalid{Pipeline: name, Problems: found}
	}
	return doc, nil
}

func document(text string, found *problems) *yaml.Node {
	if len(text) > MaxSize {
		found.add("", "the document is larger than %d KiB: split the pipeline", MaxSize>>10)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	var node yaml.Node
	switch err := dec.Decode(&node); {
	case errors.Is(err, io.EOF):
		found.add("", "the document is empty: want apiVersion: %s, project, warehouses and stages", freight.APIVersion)
		return nil
	case err != nil:
		found.add("", "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		found.add("", "there is more than one document: write one pipeline in one ConfigMap")
		return nil
	}
	return node.Content[0]
}

func (d *Document) setDefaults() {
	if d.Gates.Promote == "" {
		d.Gates.Promote = GatePromote
	}
	if d.Gates.Approve == "" {
		d.Gates.Approve = GateApprove
	}
	for i := range d.Warehouses {
		d.Warehouses[i].setDefaults()
	}
	for i := range d.Stages {
		for j := range d.Stages[i].RequestedFreight {
			r := &d.Stages[i].RequestedFreight[j]
			if r.Sources.AvailabilityStrategy == "" {
				r.Sources.AvailabilityStrategy = OneOf
			}
		}
	}
}
