package doctor

import (
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// The labels and keys of Waybill's records, as the proxy's store writes them.
const (
	labelKind     = "waybill.dev/kind"
	kindPipeline  = "pipeline"
	kindAccepted  = "accepted"
	keyAccepted   = "accepted.yaml"
	maxStageLines = 50
)

// accepted is the record of the document that is in force.
type accepted struct {
	Pipeline string             `json:"pipeline"`
	Hash     string             `json:"hash"`
	Document string             `json:"document"`
	Refused  string             `json:"refused"`
	Problems []pipeline.Problem `json:"problems"`
}

// inForce is a pipeline's document that the engine goes by.
type inForce struct {
	name     pipeline.Name
	document pipeline.Document
}

// documents returns the documents that are in force, sorted by name: the ones
// that were accepted, and those not looked at yet where they are good.
func documents(in Installation) []inForce {
	records := acceptedRecords(in)
	var all []inForce
	for _, cm := range in.Pipelines.Value {
		name := pipeline.Name{Namespace: cm.Meta.Namespace, Name: cm.Meta.Name}
		text := cm.Data[pipeline.Key]
		if r, ok := records[name.String()]; ok && r.Document != "" {
			text = r.Document
		}
		if doc, err := pipeline.Parse(name, text); err == nil {
			all = append(all, inForce{name, doc})
		}
	}
	slices.SortFunc(all, func(a, b inForce) int { return strings.Compare(a.name.String(), b.name.String()) })
	return all
}

// acceptedRecords returns the records by the full names of their pipelines. One
// that cannot be read counts as none.
func acceptedRecords(in Installation) map[string]accepted {
	all := map[string]accepted{}
	for _, cm := range in.Accepted.Value {
		var r accepted
		if yaml.Unmarshal([]byte(cm.Data[keyAccepted]), &r) == nil && r.Pipeline != "" {
			all[r.Pipeline] = r
		}
	}
	return all
}
