package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// chartSettings are the settings of a Helm chart.
type chartSettings struct {
	// options are as the Application writes them; variables stand in them yet.
	options      render.ChartOptions
	valuesObject string
	imageValues  []imageValue
}

// What Argo CD sets for charts (argo-cd, reposerver/repository, getPluginEnvs).
const (
	envNamespace   = "ARGOCD_APP_NAMESPACE"
	envKubeVersion = "KUBE_VERSION"
	envAPIVersions = "KUBE_API_VERSIONS"
)

// chartDefinitions are the parameters of a Helm chart, by the names of the
// fields of its native source (argo-cd, ApplicationSourceHelm).
func chartDefinitions() []definition {
	return []definition{
		{
			name: parameters.ReleaseName, title: "Release name",
			tooltip: "The Helm release. Empty for the name of the Application.",
			set:     setText(func(p *settings) *string { return &p.chart.options.ReleaseName }),
		},
		{
			name: parameters.Namespace, title: "Namespace",
			tooltip: "What templates see as the namespace of the release. Empty for the Application's destination.",
			set:     setText(func(p *settings) *string { return &p.chart.options.Namespace }),
		},
		{
			name: parameters.ValueFiles, title: "Value files",
			tooltip: "Files of values, later ones over earlier: relative to the chart, or with a leading slash from the root of the repository.",
			set: func(p *settings, v value) (err error) {
				p.chart.options.ValueFiles, err = v.list(`["values-prod.yaml"]`)
				return err
			},
		},
		{
			name: parameters.IgnoreMissingValueFiles, title: "Ignore missing value files",
			tooltip: `"true" passes over value files that are not there.`,
			set:     setBoolean(func(p *settings) *bool { return &p.chart.options.IgnoreMissingValueFiles }),
		},
		{
			name: parameters.Values, title: "Values",
			tooltip: "Values as YAML, over those of the value files.",
			set:     setYAML(func(p *settings) *string { return &p.chart.options.Values }),
		},
		{
			name: parameters.ValuesObject, title: "Values object",
			tooltip: "Values as YAML, in place of the parameter values.",
			set:     setYAML(func(p *settings) *string { return &p.chart.valuesObject }),
		},
		{
			name: parameters.Set, title: "Parameters",
			tooltip: "Single values by their path, over all other values (helm --set): image.tag",
			set:     setMap(`{image.tag: v1.4.2}`, func(p *settings) *map[string]string { return &p.chart.options.Parameters }),
		},
		{
			name: parameters.SetString, title: "Parameters that stay text",
			tooltip: "Single values by their path that are text even if they look like a number (helm --set-string).",
			set:     setMap(`{image.tag: "10"}`, func(p *settings) *map[string]string { return &p.chart.options.StringParameters }),
		},
		{
			name: parameters.SetFile, title: "Parameters from files",
			tooltip: "Single values by their path, taken from a file of the repository (helm --set-file).",
			set:     setMap(`{config: files/config.json}`, func(p *settings) *map[string]string { return &p.chart.options.FileParameters }),
		},
		{
			name: parameters.ImageValues, title: "Image values",
			tooltip: "Values that charts make images of, taken from the freight: image.tag: registry.example.com/shop#tag. " +
				"Of several of one repository, name the subscription: registry.example.com/shop:web#tag. Parts: " + strings.Join(imageParts, ", "),
			set: func(p *settings, v value) error {
				given, err := v.texts(`{image.tag: "registry.example.com/shop#tag"}`)
				if err != nil {
					return err
				}
				p.chart.imageValues, err = parseImageValues(given)
				return err
			},
		},
		{
			name: parameters.KubeVersion, title: "Kubernetes version",
			tooltip: "What templates see as the version of the cluster. Empty for the cluster's own.",
			set:     setText(func(p *settings) *string { return &p.chart.options.KubeVersion }),
		},
		{
			name: parameters.APIVersions, title: "API versions",
			tooltip: "What templates see as the APIs of the cluster, [group/]version[/kind]. Empty for the cluster's own.",
			set: func(p *settings, v value) (err error) {
				p.chart.options.APIVersions, err = v.list(`["monitoring.coreos.com/v1"]`)
				return err
			},
		},
		{
			name: parameters.SkipCrds, title: "Skip CRDs",
			tooltip: `"true" leaves out the chart's crds/.`,
			set:     setBoolean(func(p *settings) *bool { return &p.chart.options.SkipCRDs }),
		},
		{
			name: parameters.SkipTests, title: "Skip tests",
			tooltip: `"true" leaves out the chart's tests.`,
			set:     setBoolean(func(p *settings) *bool { return &p.chart.options.SkipTests }),
		},
		{
			name: parameters.SkipSchemaValidation, title: "Skip the schema",
			tooltip: `"true" does not check the values against values.schema.json.`,
			set:     setBoolean(func(p *settings) *bool { return &p.chart.options.SkipSchemaValidation }),
		},
	}
}

func setText(field func(*settings) *string) func(*settings, value) error {
	return func(p *settings, v value) (err error) {
		*field(p), err = v.textual()
		return err
	}
}

func setBoolean(field func(*settings) *bool) func(*settings, value) error {
	return func(p *settings, v value) (err error) {
		*field(p), err = v.boolean()
		return err
	}
}

func setMap(example string, field func(*settings) *map[string]string) func(*settings, value) error {
	return func(p *settings, v value) (err error) {
		*field(p), err = v.texts(example)
		return err
	}
}

// setYAML sets a text that must be a YAML map. What is wrong with it is not told
// in the library's words, which quote it.
func setYAML(field func(*settings) *string) func(*settings, value) error {
	return func(p *settings, v value) error {
		text, err := v.textual()
		if err != nil {
			return err
		}
		var values map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			return refusal.New(fmt.Sprintf("its plugin parameter %s is no YAML map", v.Name), "write string: 'image: {tag: v1.4.2}', or mend its indentation")
		}
		*field(p) = text
		return nil
	}
}

// chartOptions returns the settings as they stand for the renderer: variables
// put in, and Argo CD's defaults where the Application sets nothing (argo-cd,
// reposerver/repository, helmTemplate).
func (c Call) chartOptions(given chartSettings, application string) (render.ChartOptions, error) {
	options := given.options
	if options.ReleaseName == "" {
		// Where Applications may be in any namespace, the name is <namespace>_<name>
		// (argo-cd, util/argo, ParseInstanceName).
		options.ReleaseName = application[strings.Index(application, "_")+1:]
	}
	if options.Namespace == "" {
		options.Namespace = c.Env[envNamespace]
	}
	if options.KubeVersion == "" {
		options.KubeVersion = c.Env[envKubeVersion]
	}
	// Some clusters report 1.34+, which Helm does not take.
	options.KubeVersion, _, _ = strings.Cut(options.KubeVersion, "+")
	if len(options.APIVersions) == 0 && c.Env[envAPIVersions] != "" {
		options.APIVersions = strings.Split(c.Env[envAPIVersions], ",")
	}
	if given.valuesObject != "" {
		options.Values = given.valuesObject
	}
	options.ValueFiles = slices.Clone(given.options.ValueFiles)
	for i, name := range options.ValueFiles {
		if err := c.ofThisSource(name); err != nil {
			return options, err
		}
		options.ValueFiles[i] = c.substitute(name)
	}
	for _, path := range slices.Sorted(maps.Keys(options.FileParameters)) {
		if err := c.ofThisSource(options.FileParameters[path]); err != nil {
			return options, err
		}
	}
	options.Parameters = c.substituteAll(options.Parameters)
	options.StringParameters = c.substituteAll(options.StringParameters)
	options.FileParameters = c.substituteAll(options.FileParameters)
	return options, nil
}

// ofThisSource refuses a file of another source of the Application, $ref/path.
func (c Call) ofThisSource(name string) error {
	first, _, _ := strings.Cut(name, "/")
	reference, found := strings.CutPrefix(first, "$")
	reference = strings.Trim(reference, "{}")
	if !found || strings.HasPrefix(reference, "$") || slices.Contains(parameters.BuildVariables(), reference) {
		return nil
	}
	return refusal.New(fmt.Sprintf("its file %s is of another source, which Argo CD does not hand to a plugin", name),
		"copy the file into this source")
}

// pin puts what the freight pins into the options.
func (p chartSettings) pin(options *render.ChartOptions, pins pin.Pins, all []waybill.Freight) error {
	for _, f := range all {
		options.Charts = append(options.Charts, f.Charts...)
	}
	options.ImageValues = map[string]string{}
	for _, v := range p.imageValues {
		text, err := v.of(pins)
		if err != nil {
			return err
		}
		options.ImageValues[v.path] = text
	}
	return nil
}
