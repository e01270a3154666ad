package chart

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	helmyaml "sigs.k8s.io/yaml"
)

// dependency is an entry of dependencies in Chart.yaml and Chart.lock. Its JSON is
// what Helm makes the digest of a lock of, so that fields, their order and what is
// left out are those of Helm (pkg/chart, Dependency).
type dependency struct {
	Name         string   `json:"name"`
	Version      string   `json:"version,omitempty"`
	Repository   string   `json:"repository"`
	Condition    string   `json:"condition,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Enabled      bool     `json:"enabled,omitempty"`
	ImportValues []any    `json:"import-values,omitempty"`
	Alias        string   `json:"alias,omitempty"`
}

func (d dependency) identity() string { return Identity(d.Repository, d.Name) }

// The files of a chart that name what it depends on. Those of the first version
// of charts count where they are there (helm, chart/loader, LoadFiles).
const (
	Metadata       = "Chart.yaml"
	lockFile       = "Chart.lock"
	requirements   = "requirements.yaml"
	requirementsV1 = "requirements.lock"
)

// Named are the files, from the chart's folder, that [Vendor] is given where they
// are there, and Below the patterns of those in charts/.
var (
	Named = []string{Metadata, lockFile, requirements, requirementsV1}
	Below = []string{"*.tgz", "*/" + Metadata}
)

// document is the file that lists what a chart depends on.
type document struct {
	name, lock   string
	text         []byte
	root         yaml.Node
	dependencies []dependency
	// nodes are the mappings of the dependencies, in the same order.
	nodes []*yaml.Node
}

// read takes the file apart that lists a chart's dependencies.
func read(files map[string][]byte) (*document, error) {
	d := &document{name: Metadata, lock: lockFile, text: files[Metadata]}
	if text, first := files[requirements]; first {
		d.name, d.lock, d.text = requirements, requirementsV1, text
	}
	if len(d.text) > maxText {
		return nil, tooLarge(d.name)
	}
	if err := yaml.Unmarshal(d.text, &d.root); err != nil {
		return nil, d.unreadable(err)
	}
	if d.root.Kind == 0 {
		return d, nil // an empty file
	}
	list := field(d.root.Content[0], "dependencies")
	if list == nil {
		return d, nil
	}
	list = pointed(list)
	if list.Kind != yaml.SequenceNode {
		if list.Tag == "!!null" {
			return d, nil
		}
		return nil, fmt.Errorf("%s has dependencies that are no list: mend it", d.name)
	}
	// What they say is read as Helm reads it, by another library, which takes a y for
	// true: the digest of the lock is made of that.
	var listed struct {
		Dependencies []dependency `json:"dependencies"`
	}
	if err := helmyaml.Unmarshal(d.text, &listed); err != nil {
		return nil, d.unreadable(err)
	}
	if len(listed.Dependencies) != len(list.Content) {
		return nil, fmt.Errorf("%s has dependencies that are read in two ways: write them as a plain list", d.name)
	}
	d.dependencies = listed.Dependencies
	for _, entry := range list.Content {
		d.nodes = append(d.nodes, pointed(entry))
	}
	return d, nil
}

// maxText bounds what is read of a file, in bytes: none is a tenth of it.
const maxText = 1 << 20

func tooLarge(name string) error {
	return fmt.Errorf("%s is larger than %d MiB: shorten it", name, maxText>>20)
}

func (d *document) unreadable(err error) error {
	return fmt.Errorf("%s cannot be read (%s): mend it", d.name, oneLine(err))
}

// field returns the value of a field, nil for none.
func field(mapping *yaml.Node, name string) *yaml.Node {
	if mapping = pointed(mapping); mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// pointed follows an alias.
func pointed(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

const maxTold = 200 // bytes that are repeated of what the YAML library says

// oneLine keeps what the YAML libraries say of a text in one line, and what they say
// of Go's types out of it.
func oneLine(err error) string {
	if strings.HasPrefix(err.Error(), "error unmarshaling JSON") {
		return "a field is not of the type that it has in Helm"
	}
	line := strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "error converting YAML to JSON: "), "yaml: ")), " ")
	if len(line) > maxTold {
		line = strings.ToValidUTF8(line[:maxTold], "") + "…"
	}
	return line
}
