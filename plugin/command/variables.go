package command

import (
	"os"
	"slices"

	"github.com/waybill-cd/waybill/extension/parameters"
)

// substitute puts the build variables into a setting as Argo CD does (argo-cd,
// v1alpha1, Envsubst): $NAME or ${NAME}, nothing for a variable that it does not
// know, $$ for a dollar sign.
func (c Call) substitute(setting string) string {
	return os.Expand(setting, func(name string) string {
		switch {
		case name == "$":
			return "$"
		case slices.Contains(parameters.BuildVariables(), name):
			return c.Env[name]
		}
		return ""
	})
}

func (c Call) substituteAll(settings map[string]string) map[string]string {
	out := make(map[string]string, len(settings))
	for name, setting := range settings {
		out[name] = c.substitute(setting)
	}
	return out
}
