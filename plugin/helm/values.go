package helm

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// values merges what the Application sets: later wins over earlier, in the order
// of Argo CD's command line and Helm's flags (argo-cd, util/helm, template; helm,
// cli/values, MergeValues), and the freight over all. Parameters of one kind are
// set in the order of their names, which Argo CD leaves to chance.
func values(checkout *render.Checkout, options render.ChartOptions) (map[string]any, error) {
	merged := map[string]any{}
	for _, name := range options.ValueFiles {
		data, err := checkout.ReadNamed(name)
		if errors.Is(err, fs.ErrNotExist) && options.IgnoreMissingValueFiles {
			continue
		}
		if err != nil {
			return nil, unreadable("value file "+name, err, "add it, or set "+parameters.IgnoreMissingValueFiles)
		}
		if merged, err = merge(merged, data); err != nil {
			return nil, refusal.Wrap(fmt.Errorf("its value file %s: %w", name, err), "mend the file")
		}
	}
	var err error
	if merged, err = merge(merged, []byte(options.Values)); err != nil {
		return nil, refusal.Wrap(fmt.Errorf("its parameter values: %w", err), "write YAML, a map")
	}
	for _, name := range sorted(options.Parameters) {
		if err := strvals.ParseInto(name+"="+escaped(options.Parameters[name]), merged); err != nil {
			return nil, unset(parameters.Set, name, err)
		}
	}
	for _, name := range sorted(options.StringParameters) {
		if err := strvals.ParseIntoString(name+"="+escaped(options.StringParameters[name]), merged); err != nil {
			return nil, unset(parameters.SetString, name, err)
		}
	}
	for _, name := range sorted(options.FileParameters) {
		data, err := checkout.ReadNamed(options.FileParameters[name])
		if err != nil {
			return nil, unreadable("parameter file "+options.FileParameters[name], err, "add it")
		}
		content := func([]rune) (any, error) { return string(data), nil }
		if err := strvals.ParseIntoFile(name+"=file", merged, content); err != nil {
			return nil, unset(parameters.SetFile, name, err)
		}
	}
	for _, name := range sorted(options.ImageValues) {
		if err := strvals.ParseIntoString(name+"="+escaped(options.ImageValues[name]), merged); err != nil {
			return nil, unset(parameters.ImageValues, name, err)
		}
	}
	return merged, nil
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// merge adds a YAML document to values. A map is merged, all else is replaced
// (helm, cli/values, mergeMaps).
func merge(into map[string]any, document []byte) (map[string]any, error) {
	added := map[string]any{}
	if err := yaml.Unmarshal(document, &added); err != nil {
		return nil, err
	}
	return mergeMaps(into, added), nil
}

func mergeMaps(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for key, value := range b {
		if inner, ok := value.(map[string]any); ok {
			if known, ok := out[key].(map[string]any); ok {
				out[key] = mergeMaps(known, inner)
				continue
			}
		}
		out[key] = value
	}
	return out
}

// escaped escapes the commas of a value, which separate values for Helm, except
// those of a list and those that are escaped (argo-cd, util/helm,
// cleanSetParameters).
func escaped(value string) string {
	if strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
		return value
	}
	var out strings.Builder
	var before rune
	for _, r := range value {
		if r == ',' && before != '\\' {
			out.WriteRune('\\')
		}
		out.WriteRune(r)
		before = r
	}
	return out.String()
}

// unset tells why a parameter cannot be set. Helm's own words would tell its
// value too.
func unset(parameter, name string, err error) error {
	cause := fmt.Sprintf("its plugin parameter %s cannot set %s", parameter, name)
	for _, known := range []string{"has no value", "illegal index", "nested level", "unable to parse key"} {
		if strings.Contains(err.Error(), known) {
			cause += " (" + known + ")"
		}
	}
	return refusal.New(cause, "name a place in the values, such as image.tag or hosts[0].name")
}

// unreadable tells of a file that the settings name.
func unreadable(what string, err error, remedy string) error {
	var refused *refusal.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refusal.New("there is no "+what, remedy)
	case errors.As(err, &refused):
		return err
	}
	return refusal.Wrap(fmt.Errorf("its %s: %w", what, err), "name a file of the repository, and keep manifest-generate-paths wide enough")
}
