// Package parameters names the parameters of the plugin
// (spec.source.plugin.parameters), and tells which field of a native source
// each one carries. The plugin announces and reads by these names, and
// argocd-waybill convert writes them.
//
// Names are those of the fields of Argo CD's ApplicationSourceKustomize,
// ApplicationSourceHelm and ApplicationSourceDirectory (argo-cd 2.14,
// pkg/apis/application/v1alpha1/types.go), so that an Application that moves to
// the plugin keeps its words.
package parameters

// Plugin is the plugin's name, in spec.source.plugin.name.
const Plugin = "waybill"

// EnvWaybill is the variable of spec.source.plugin.env that carries the waybill
// where the stage's carrier is the Application.
const EnvWaybill = "WAYBILL"

// BuildVariables are what $NAME stands for in the settings of a native source and
// in the parameters alike (argo-cd, reposerver/repository, newEnv; the project
// from Argo CD 3.0 on). Any other name stands for nothing.
func BuildVariables() []string {
	return []string{
		"ARGOCD_APP_NAME", "ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME",
		"ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8",
		"ARGOCD_APP_SOURCE_REPO_URL", "ARGOCD_APP_SOURCE_PATH", "ARGOCD_APP_SOURCE_TARGET_REVISION",
	}
}

// MaxSize bounds the parameters of an Application as JSON, in bytes: Argo CD hands
// them over in one variable, and Linux passes none that is longer (with its name
// and its end, MAX_ARG_STRLEN).
const MaxSize = 128<<10 - len("ARGOCD_APP_PARAMETERS=") - 1

// Waybill's own parameters, which no native source has.
const (
	// Freight and Pins tell what was promoted: [Told].
	Freight = "freight"
	Pins    = "pins"
	// Unpinned is "allow" where manifests are rendered without a waybill.
	Unpinned = "unpinned"
	// Strict refuses images that no freight pins.
	Strict = "strict"
	// ImagePaths are further places of images in custom resources.
	ImagePaths = "imagePaths"
	// ImageValues are the values of a chart that make up its images.
	ImageValues = "imageValues"
)

// Parameters of a kustomization.
const (
	NamePrefix                = "namePrefix"
	NameSuffix                = "nameSuffix"
	CommonLabels              = "commonLabels"
	CommonAnnotations         = "commonAnnotations"
	ForceCommonLabels         = "forceCommonLabels"
	ForceCommonAnnotations    = "forceCommonAnnotations"
	CommonAnnotationsEnvsubst = "commonAnnotationsEnvsubst"
	LabelWithoutSelector      = "labelWithoutSelector"
	LabelIncludeTemplates     = "labelIncludeTemplates"
	Images                    = "images"
	Replicas                  = "replicas"
	Components                = "components"
	IgnoreMissingComponents   = "ignoreMissingComponents"
	Patches                   = "patches"
)

// Namespace is a parameter of both kustomizations and charts.
const Namespace = "namespace"

// Parameters of a chart.
const (
	ReleaseName             = "releaseName"
	KubeVersion             = "kubeVersion"
	APIVersions             = "apiVersions"
	ValueFiles              = "valueFiles"
	IgnoreMissingValueFiles = "ignoreMissingValueFiles"
	Values                  = "values"
	ValuesObject            = "valuesObject"
	Set                     = "parameters"
	SetString               = "stringParameters"
	SetFile                 = "fileParameters"
	SkipCrds                = "skipCrds"
	SkipTests               = "skipTests"
	SkipSchemaValidation    = "skipSchemaValidation"
)

// Parameters of plain YAML and JSON.
const (
	Recurse = "recurse"
	Include = "include"
	Exclude = "exclude"
)

// Kind is what an Application's path holds, under the name that its settings
// have in a native source.
type Kind string

// The kinds.
const (
	Kustomization Kind = "kustomize"
	Chart         Kind = "helm"
	Plain         Kind = "directory"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Kustomization, Chart, Plain} }

// Form is how the value of a parameter is written.
type Form int

// The forms, with the field that each is written in.
const (
	Text    Form = iota // string
	Boolean             // string, "true" or "false"
	List                // array
	Map                 // map
)

// Field returns the field of a parameter that its value is written in:
// string, array or map.
func (f Form) Field() string {
	switch f {
	case List:
		return "array"
	case Map:
		return "map"
	default:
		return "string"
	}
}

// Parameter is one that an Application may set.
type Parameter struct {
	Name string
	Form Form
}

// Told are the parameters that the plugin announces and no Application sets.
func Told() []Parameter { return []Parameter{{Freight, Text}, {Pins, Map}} }

// Own are the parameters of Waybill's own that a kind takes, those that are only
// [Told] aside.
func Own(kind Kind) []Parameter {
	own := []Parameter{{Unpinned, Text}, {Strict, Boolean}, {ImagePaths, List}}
	if kind == Chart {
		own = append(own, Parameter{ImageValues, Map})
	}
	return own
}

// Of are the parameters of a kind that come from its native settings.
func Of(kind Kind) []Parameter {
	switch kind {
	case Kustomization:
		return []Parameter{
			{NamePrefix, Text}, {NameSuffix, Text}, {Namespace, Text},
			{CommonLabels, Map}, {CommonAnnotations, Map},
			{ForceCommonLabels, Boolean}, {ForceCommonAnnotations, Boolean}, {CommonAnnotationsEnvsubst, Boolean},
			{LabelWithoutSelector, Boolean}, {LabelIncludeTemplates, Boolean},
			{Images, List}, {Replicas, Map},
			{Components, List}, {IgnoreMissingComponents, Boolean},
			{Patches, Text},
		}
	case Chart:
		return []Parameter{
			{ReleaseName, Text}, {Namespace, Text}, {KubeVersion, Text}, {APIVersions, List},
			{ValueFiles, List}, {IgnoreMissingValueFiles, Boolean}, {Values, Text}, {ValuesObject, Text},
			{Set, Map}, {SetString, Map}, {SetFile, Map},
			{SkipCrds, Boolean}, {SkipTests, Boolean}, {SkipSchemaValidation, Boolean},
		}
	case Plain:
		return []Parameter{{Recurse, Boolean}, {Include, Text}, {Exclude, Text}}
	default:
		return nil
	}
}

// FormOf returns the form of a parameter that a kind takes or the plugin tells,
// and whether there is one of that name.
func FormOf(kind Kind, name string) (Form, bool) {
	for _, some := range [][]Parameter{Told(), Own(kind), Of(kind)} {
		for _, p := range some {
			if p.Name == name {
				return p.Form, true
			}
		}
	}
	return Text, false
}
