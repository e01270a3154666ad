package command

import "os"

// buildVariables are the variables that Argo CD puts into the settings of a
// native source (argo-cd, reposerver/repository, newEnv; the project from v3 on).
var buildVariables = []string{
	"ARGOCD_APP_NAME", "ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME", "ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8",
	"ARGOCD_APP_SOURCE_REPO_URL", "ARGOCD_APP_SOURCE_PATH", "ARGOCD_APP_SOURCE_TARGET_REVISION",
}

// substitute puts the build variables into a setting as Argo CD does (argo-cd,
// v1alpha1, Envsubst): $NAME or ${NAME}, nothing for a variable that it does not
// know, $$ for a dollar sign.
func (c Call) substitute(setting string) string {
	return os.Expand(setting, func(name string) string {
		if name == "$" {
			return "$"
		}
		for _, known := range buildVariables {
			if name == known {
				return c.Env[name]
			}
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
