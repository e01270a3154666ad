package pipeline

import "github.com/waybill-cd/waybill/extension/pipeline/name"

// DefaultNamespace is Waybill's own namespace, which names may leave out.
const DefaultNamespace = name.DefaultNamespace

// Name identifies a pipeline: the namespace and name of its ConfigMap.
type Name = name.Pipeline

// StageName identifies a stage across pipelines.
type StageName = name.Stage

// ParseName reads [namespace/]name.
func ParseName(s string) (Name, error) { return name.ParsePipeline(s) }

// ParseStageName reads [namespace/]pipeline/stage, the value of the annotation
// that binds an Application to a stage.
func ParseStageName(s string) (StageName, error) { return name.ParseStage(s) }

func isLabel(s string) bool { return name.IsLabel(s) }
