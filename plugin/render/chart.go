package render

import (
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/plugin/manifest"
)

// ChartOptions are how an Application wants its Helm chart rendered, in the
// words of its native source (argo-cd, ApplicationSourceHelm).
type ChartOptions struct {
	// ReleaseName is .Release.Name, of at most 53 characters.
	ReleaseName string
	// Namespace is .Release.Namespace; empty for Helm's own "default".
	Namespace string
	// KubeVersion is .Capabilities.KubeVersion; empty for Helm's own default.
	KubeVersion string
	// APIVersions are added to .Capabilities.APIVersions.
	APIVersions []string
	// ValueFiles are merged in their order; see [Checkout.ReadNamed].
	ValueFiles              []string
	IgnoreMissingValueFiles bool
	// Values is a YAML document that is merged after the files.
	Values string
	// Parameters (--set), StringParameters (--set-string) and FileParameters
	// (--set-file, with a path as ValueFiles have it) are set after the values,
	// by their path in them.
	Parameters       map[string]string
	StringParameters map[string]string
	FileParameters   map[string]string

	SkipCRDs             bool
	SkipTests            bool
	SkipSchemaValidation bool

	// ImageValues are set last, by their path in the values: what the freight
	// pins, as text.
	ImageValues map[string]string
	// Charts are the charts that the freight pins. Those that the chart depends
	// on must be vendored at that version.
	Charts []freight.Chart
}

// ChartRenderer renders the Helm chart in the path of a checkout.
type ChartRenderer func(*Checkout, ChartOptions) ([]manifest.Object, error)
