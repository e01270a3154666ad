package parameters

// Shape is how a native source writes what a parameter carries.
type Shape int

// The shapes.
const (
	// Same is written as the parameter is: a text, a list or a map of texts; a
	// boolean is a text in the parameter.
	Same Shape = iota
	// Document is a YAML value, the text of which the parameter holds.
	Document
	// Counts is a list of {name, count}: a map in the parameter.
	Counts
	// Sets is a list of {name, value, forceString}: two maps, [Set] and
	// [SetString], in the parameters.
	Sets
	// Files is a list of {name, path}: a map in the parameter.
	Files
)

// Native is one field of a native source.
type Native struct {
	// Field is its name, and that of the parameter that carries it.
	Field string
	Shape Shape
	// Newer tells that Argo CD 2.14 does not have the field yet.
	Newer bool
	// Obstacle tells why no parameter carries it, where none does, and Remedy
	// what to do about it.
	Obstacle, Remedy string
}

// NativeOf are the fields of a kind's native settings.
func NativeOf(kind Kind) []Native {
	switch kind {
	case Kustomization:
		return []Native{
			{Field: NamePrefix}, {Field: NameSuffix}, {Field: Namespace},
			{Field: CommonLabels}, {Field: CommonAnnotations},
			{Field: ForceCommonLabels}, {Field: ForceCommonAnnotations}, {Field: CommonAnnotationsEnvsubst},
			{Field: LabelWithoutSelector}, {Field: LabelIncludeTemplates, Newer: true},
			{Field: Images}, {Field: Replicas, Shape: Counts},
			{Field: Components}, {Field: IgnoreMissingComponents, Newer: true},
			{Field: Patches, Shape: Document},
			{
				Field: "version", Obstacle: "the plugin has one version of kustomize, its own",
				Remedy: "remove it, and compare what both render",
			},
			{
				Field: "kubeVersion", Obstacle: "it is for Helm charts that kustomize inflates, which the plugin refuses",
				Remedy: "remove it, and commit the output of helm template where a chart is inflated",
			},
			{
				Field: "apiVersions", Obstacle: "they are for Helm charts that kustomize inflates, which the plugin refuses",
				Remedy: "remove them, and commit the output of helm template where a chart is inflated",
			},
		}
	case Chart:
		return []Native{
			{Field: ReleaseName}, {Field: Namespace}, {Field: KubeVersion}, {Field: APIVersions},
			{Field: ValueFiles}, {Field: IgnoreMissingValueFiles},
			{Field: Values}, {Field: ValuesObject, Shape: Document},
			{Field: Set, Shape: Sets}, {Field: SetFile, Shape: Files},
			{Field: SkipCrds}, {Field: SkipTests}, {Field: SkipSchemaValidation},
			{
				Field: "version", Obstacle: "the plugin has one version of Helm, its own",
				Remedy: "remove it: v3 is what the plugin renders with",
			},
			{
				Field: "passCredentials", Obstacle: "a render reaches no chart repository that credentials would be passed to",
				Remedy: "vendor the dependencies under charts/ and remove it",
			},
		}
	case Plain:
		return []Native{
			{Field: Recurse}, {Field: Include}, {Field: Exclude},
			{
				Field: "jsonnet", Obstacle: "the plugin evaluates no Jsonnet",
				Remedy: "commit its output, or leave the Application as it is",
			},
		}
	default:
		return nil
	}
}
