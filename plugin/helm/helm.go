// Package helm renders the Helm chart in an Application's path as Argo CD's
// native Helm source does: what `helm template` prints with the flags that Argo
// CD passes (argo-cd, util/helm, template), with Helm's own engine.
//
// It reads the checkout alone. There is no cluster (lookup finds nothing, as in
// helm template), no network (a dependency that is not vendored, a remote value
// file and a remote schema are refused, getHostByName gives nothing) and no
// environment.
//
// One thing keeps a render from being a pure function, here as in Argo CD
// itself: a chart may call randAlphaNum, uuidv4, genCA, htpasswd, now and the
// like. Their results stay what Helm makes of them. A fixed clock would write
// wrong dates, and randomness derived from the files would be a password that
// everybody who can read the repository can compute. Such a chart shows as out
// of sync after each render, and no preview of it equals the next; charts take
// the value in question as a setting for that reason (existingSecret and its
// like).
package helm

import (
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// Render renders the chart in the checkout's path. The objects come in the order
// of helm template: CRDs, what is installed in Helm's order of kinds, hooks. Hooks
// are manifests with their annotations, which Argo CD acts on.
//
// A chart can take time and memory without end, which the caller bounds: Go ends a
// program whose stack overflows with a dump of it. Its errors are fit to be shown.
func Render(checkout *render.Checkout, options render.ChartOptions) (objects []manifest.Object, err error) {
	secrets := &secrets{}
	defer func() {
		// Helm is known to panic on some broken charts, whose stack would
		// otherwise be all that the user sees.
		if problem := recover(); problem != nil {
			err = fmt.Errorf("Helm gave up on it: %v", problem)
		}
		if err != nil {
			err = explain(err, checkout.Path(), secrets)
		}
	}()
	return renderChart(checkout, options, secrets)
}

func renderChart(checkout *render.Checkout, options render.ChartOptions, secrets *secrets) ([]manifest.Object, error) {
	if err := chartutil.ValidateReleaseName(options.ReleaseName); err != nil {
		return nil, refusal.New(fmt.Sprintf("its release name %q is none that Helm takes", options.ReleaseName),
			"set "+parameters.ReleaseName+": at most 53 of a-z, 0-9, - and .")
	}
	given, err := values(checkout, options)
	if err != nil {
		return nil, err
	}
	secrets.collect(given)
	c, err := load(checkout, options)
	if err != nil {
		return nil, err
	}
	return template(c, given, options, secrets)
}

// load reads the chart, and checks that it can be installed with what it vendors.
func load(checkout *render.Checkout, options render.ChartOptions) (*chart.Chart, error) {
	source := &source{checkout: checkout}
	c, all, err := source.load(".")
	if err != nil {
		return nil, err
	}
	switch c.Metadata.Type {
	case "", "application":
	default:
		return nil, refusal.New(fmt.Sprintf("its chart %s is of the type %s, which cannot be installed", c.Name(), c.Metadata.Type),
			"set type: application, or render the chart that depends on it")
	}
	if err := source.beside(c); err != nil {
		return nil, err
	}
	if err := complete(c); err != nil {
		return nil, err
	}
	return c, pinned(c, all, options.Charts)
}

// template does what helm template does once the chart is read (helm, action,
// RunWithContext and renderResources; cmd/helm, newTemplateCmd).
func template(c *chart.Chart, given map[string]any, options render.ChartOptions, secrets *secrets) ([]manifest.Object, error) {
	if err := chartutil.ProcessDependenciesWithMerge(c, given); err != nil {
		return nil, err
	}
	capabilities, err := capabilities(options)
	if err != nil {
		return nil, err
	}
	namespace := options.Namespace
	if namespace == "" {
		namespace = "default"
	}
	release := chartutil.ReleaseOptions{Name: options.ReleaseName, Namespace: namespace, Revision: 1, IsInstall: true}
	// Helm's own check of the schema would read any file and any address.
	context, err := chartutil.ToRenderValuesWithSchemaValidation(c, given, release, capabilities, true)
	if err != nil {
		return nil, err
	}
	merged, err := context.Table("Values")
	if err != nil {
		return nil, err
	}
	secrets.collect(map[string]any(merged))
	if !options.SkipSchemaValidation {
		if err := checkSchemas(c, merged); err != nil {
			return nil, err
		}
	}
	if wanted := c.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.Version) {
		return nil, refusal.New(fmt.Sprintf("its chart wants Kubernetes %s, and this is %s", wanted, capabilities.KubeVersion.Version),
			"deploy to another cluster, or set "+parameters.KubeVersion)
	}
	files, err := engine.Engine{}.Render(c, context)
	if err != nil {
		return nil, err
	}
	return collect(c, files, options)
}

// capabilities returns what the chart sees of the cluster.
func capabilities(options render.ChartOptions) (*chartutil.Capabilities, error) {
	all := chartutil.DefaultCapabilities.Copy()
	if options.KubeVersion != "" {
		version, err := chartutil.ParseKubeVersion(options.KubeVersion)
		if err != nil {
			return nil, refusal.New(fmt.Sprintf("its Kubernetes version %q is none", options.KubeVersion), "set "+parameters.KubeVersion+" as 1.34.4")
		}
		all.KubeVersion = *version
	}
	all.APIVersions = slices.Concat(all.APIVersions, options.APIVersions)
	return all, nil
}

// collect makes objects of the rendered files.
func collect(c *chart.Chart, files map[string]string, options render.ChartOptions) ([]manifest.Object, error) {
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	all, err := documents(files)
	if err != nil {
		return nil, err
	}
	var objects []manifest.Object
	if !options.SkipCRDs {
		for _, crd := range c.CRDObjects() {
			read, err := customResources(crd.Filename, crd.File.Data)
			if err != nil {
				return nil, err
			}
			objects = append(objects, read...)
		}
	}
	for _, d := range all {
		if !d.test || !options.SkipTests {
			objects = append(objects, d.objects...)
		}
	}
	return objects, nil
}
