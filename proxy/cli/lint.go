package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// linted is what lint says of one pipeline.
type linted struct {
	File string `json:"file"`
	// Pipeline is its short name where the file tells it.
	Pipeline string             `json:"pipeline,omitempty"`
	Problems []pipeline.Problem `json:"problems"`
}

func (c *command) lintCommand() *cobra.Command {
	schema := false
	cmd := &cobra.Command{
		Use:   "lint <file>...",
		Short: "Check pipeline files, without a server",
		Long: `Check pipeline files, without a server: ConfigMaps as they are applied, or bare
pipeline documents. "-" reads standard input. Other resources in a file are
passed over. The exit code is 1 if there are problems.

--schema prints the JSON Schema of a pipeline document, for editors.`,
		Example: `  argocd-waybill lint pipeline.yaml
  kustomize build pipelines | argocd-waybill lint - -o json
  argocd-waybill lint --schema > pipeline.schema.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if schema && len(args) > 0 {
				return usage("--schema prints a schema and reads no file: leave out %s", args[0])
			}
			if schema {
				return nil
			}
			return arguments(1, anyNumber)(cmd, args)
		},
		RunE: c.run(func(_ *cobra.Command, args []string) error {
			if schema {
				return c.print("%s", pipeline.Schema)
			}
			findings := []linted{}
			for _, name := range args {
				text, err := c.read(name)
				if err != nil {
					return err
				}
				found := lint(name, text)
				findings = append(findings, found...)
			}
			if len(findings) == 0 {
				return fmt.Errorf("%s holds no pipeline: neither a ConfigMap with the key %s, nor a pipeline document", strings.Join(args, ", "), pipeline.Key)
			}
			return c.report(findings)
		}),
	}
	c.outputFlag(cmd, formatJSON, formatYAML)
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of a pipeline document")
	return cmd
}

// maxFile bounds a file with pipelines, in bytes.
const maxFile = 16 << 20

func (c *command) read(name string) ([]byte, error) {
	source := c.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, errors.Unwrap(err))
		}
		defer file.Close()
		source = file
	}
	text, err := io.ReadAll(io.LimitReader(source, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return text, nil
}

// documentEnd separates the documents of a YAML file.
var documentEnd = regexp.MustCompile(`(?m)^---(?:[ \t].*)?\r?$`)

// lint checks all pipelines of a file.
func lint(file string, text []byte) []linted {
	var findings []linted
	for _, document := range documentEnd.Split(string(text), -1) {
		if strings.TrimSpace(document) == "" {
			continue
		}
		if f, ok := lintDocument(document); ok {
			f.File = file
			if f.Problems == nil {
				f.Problems = []pipeline.Problem{}
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// manifest is a ConfigMap as far as lint looks at it.
type manifest struct {
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	Data map[string]string `json:"data"`
}

// The label by which the proxy knows the ConfigMaps of pipelines.
const (
	kindLabel    = "waybill.dev/kind"
	kindPipeline = "pipeline"
)

// lintDocument checks one document; ok is false where it is no pipeline.
func lintDocument(text string) (f linted, ok bool) {
	bare := func() (linted, bool) {
		return linted{Problems: problemsOf(pipeline.Name{}, text)}, true
	}
	if len(text) > maxResource {
		return bare()
	}
	var resource any
	if err := yaml.Unmarshal([]byte(text), &resource); err != nil {
		// The parser of pipelines tells what is wrong with the YAML.
		return bare()
	}
	fields, isMapping := resource.(map[string]any)
	switch {
	case resource == nil:
		return linted{}, false
	case !isMapping || fields["kind"] == nil:
		return bare()
	case fields["kind"] != "ConfigMap":
		return linted{}, false
	}
	return lintConfigMap(text)
}

// maxResource bounds a resource, in bytes: Kubernetes stores no larger ones.
const maxResource = 2 << 20

func lintConfigMap(text string) (f linted, ok bool) {
	var m manifest
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		f.Problems = []pipeline.Problem{{Message: "this is no ConfigMap: names, labels and the values of data must be strings"}}
		return f, true
	}
	document, has := m.Data[pipeline.Key]
	labelled := m.Metadata.Labels[kindLabel] == kindPipeline
	if !has && !labelled {
		return linted{}, false
	}
	full := m.Metadata.Name
	if m.Metadata.Namespace != "" {
		full = m.Metadata.Namespace + "/" + full
	}
	name, err := pipeline.ParseName(full)
	if err != nil {
		f.Problems = append(f.Problems, pipeline.Problem{Path: "metadata.name", Message: err.Error()})
	} else {
		f.Pipeline = name.Short()
	}
	if !labelled {
		f.Problems = append(f.Problems, pipeline.Problem{
			Path:    "metadata.labels",
			Message: fmt.Sprintf("the label %s: %s is missing, without which the proxy does not see the ConfigMap", kindLabel, kindPipeline),
		})
	}
	if !has {
		f.Problems = append(f.Problems, pipeline.Problem{Path: "data", Message: "the key " + pipeline.Key + " is missing"})
		return f, true
	}
	f.Problems = append(f.Problems, problemsOf(name, document)...)
	return f, true
}

func problemsOf(name pipeline.Name, document string) []pipeline.Problem {
	_, err := pipeline.Parse(name, document)
	invalid := (*pipeline.Invalid)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return invalid.Problems
	default:
		return []pipeline.Problem{{Message: err.Error()}}
	}
}

func (c *command) report(findings []linted) error {
	count := 0
	for _, f := range findings {
		count += len(f.Problems)
	}
	if c.structured() {
		if err := c.write(findings); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			if err := c.reportOne(f); err != nil {
				return err
			}
		}
	}
	switch count {
	case 0:
		return nil
	case 1:
		return errors.New("there is one problem")
	default:
		return fmt.Errorf("there are %d problems", count)
	}
}

func (c *command) reportOne(f linted) error {
	subject := filepath.ToSlash(f.File)
	if f.Pipeline != "" {
		subject += ": pipeline " + f.Pipeline
	}
	if len(f.Problems) == 0 {
		return c.print("%s %s is good\n", c.style.mark(markYes), clean(subject))
	}
	for _, p := range f.Problems {
		if err := c.print("%s %s: %s\n", c.style.mark(markNo), clean(subject), clean(p.String())); err != nil {
			return err
		}
	}
	return nil
}
