// Package name reads and writes the names of pipelines and stages.
//
// It stands apart from package pipeline, which takes its types over, because each
// render of the plugin reads the name of a stage, and would otherwise load all
// that a pipeline's document is checked with.
package name

import (
	"fmt"
	"strings"
)

// DefaultNamespace is Waybill's own namespace, which names may leave out.
const DefaultNamespace = "waybill"

// Pipeline identifies a pipeline: the namespace and name of its ConfigMap.
type Pipeline struct {
	Namespace string
	Name      string
}

// Stage identifies a stage across pipelines.
type Stage struct {
	Pipeline Pipeline
	Stage    string
}

// String returns namespace/name, the full form that records and labels use.
func (p Pipeline) String() string { return p.Namespace + "/" + p.Name }

// Short returns the name as people write it: without the default namespace.
func (p Pipeline) Short() string {
	if p.Namespace == DefaultNamespace {
		return p.Name
	}
	return p.String()
}

// String returns the stage as people write it: [namespace/]pipeline/stage.
func (s Stage) String() string { return s.Pipeline.Short() + "/" + s.Stage }

// ParsePipeline reads [namespace/]name.
func ParsePipeline(s string) (Pipeline, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 1 {
		parts = append([]string{DefaultNamespace}, parts...)
	}
	if len(parts) != 2 || !IsLabel(parts[0]) || !IsLabel(parts[1]) {
		return Pipeline{}, fmt.Errorf("%q is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens", s)
	}
	return Pipeline{Namespace: parts[0], Name: parts[1]}, nil
}

// ParseStage reads [namespace/]pipeline/stage, the value of the annotation that
// binds an Application to a stage.
func ParseStage(s string) (Stage, error) {
	i := strings.LastIndex(s, "/")
	if i < 0 || !IsLabel(s[i+1:]) {
		return Stage{}, fmt.Errorf("%q is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod", s)
	}
	pipeline, err := ParsePipeline(s[:i])
	if err != nil {
		return Stage{}, fmt.Errorf("%q is not the name of a stage: %w", s, err)
	}
	return Stage{Pipeline: pipeline, Stage: s[i+1:]}, nil
}

const (
	maxLabel = 63
	letters  = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// IsLabel tells whether s may be one part of a name. It is a DNS label (RFC
// 1123): what Kubernetes accepts for a namespace, and what keeps
// "<namespace>.<pipeline>.stage.<stage>" free of ambiguity.
func IsLabel(s string) bool {
	return s != "" && len(s) <= maxLabel && s[0] != '-' && s[len(s)-1] != '-' && strings.Trim(s, letters+"-") == ""
}
