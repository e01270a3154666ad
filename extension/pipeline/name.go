package pipeline

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultNamespace is Waybill's own namespace, which names may leave out.
const DefaultNamespace = "waybill"

// Name identifies a pipeline: the namespace and name of its ConfigMap.
type Name struct {
	Namespace string
	Name      string
}

// StageName identifies a stage across pipelines.
type StageName struct {
	Pipeline Name
	Stage    string
}

// label is a DNS label (RFC 1123): what Kubernetes accepts for a namespace,
// and what keeps "<namespace>.<pipeline>.stage.<stage>" free of ambiguity.
var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// String returns namespace/name, the full form that records and labels use.
func (n Name) String() string { return n.Namespace + "/" + n.Name }

// Short returns the name as people write it: without the default namespace.
func (n Name) Short() string {
	if n.Namespace == DefaultNamespace {
		return n.Name
	}
	return n.String()
}

// String returns the stage as people write it: [namespace/]pipeline/stage.
func (s StageName) String() string { return s.Pipeline.Short() + "/" + s.Stage }

// ParseName reads [namespace/]name.
func ParseName(s string) (Name, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 1 {
		parts = append([]string{DefaultNamespace}, parts...)
	}
	if len(parts) != 2 || !label.MatchString(parts[0]) || !label.MatchString(parts[1]) {
		return Name{}, fmt.Errorf("%q is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens", s)
	}
	return Name{Namespace: parts[0], Name: parts[1]}, nil
}

// ParseStageName reads [namespace/]pipeline/stage, the value of the annotation
// that binds an Application to a stage.
func ParseStageName(s string) (StageName, error) {
	i := strings.LastIndex(s, "/")
	if i < 0 || !label.MatchString(s[i+1:]) {
		return StageName{}, fmt.Errorf("%q is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod", s)
	}
	name, err := ParseName(s[:i])
	if err != nil {
		return StageName{}, fmt.Errorf("%q is not the name of a stage: %w", s, err)
	}
	return StageName{Pipeline: name, Stage: s[i+1:]}, nil
}
