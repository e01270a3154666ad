package argocd

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	apppath "github.com/argoproj/argo-cd/v2/util/app/path"
)

// GeneratePaths returns what a render of the Application needs of its
// repository, as paths from the root: the source's own path and those of the
// annotation argocd.argoproj.io/manifest-generate-paths, which by its contract
// are all that manifests are made from. Without it, and where it names what lies
// outside, that is the whole repository: ".".
func (a Application) GeneratePaths() []string {
	named := apppath.GetAppRefreshPaths(a.object)
	if len(named) == 0 {
		return []string{"."}
	}
	paths := []string{cleanPath(a.Path)}
	for _, p := range named {
		paths = append(paths, cleanPath(beforeGlob(p)))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// cleanPath returns a path from the root of a repository. What leads out of it
// is the root.
func cleanPath(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(p, "/")), "/")
	if p == "" {
		return "."
	}
	return p
}

// beforeGlob returns the folder that a pattern looks in (util/app/path,
// AppFilesHaveChanged, matches with filepath.Match).
func beforeGlob(p string) string {
	segments := strings.Split(p, "/")
	if i := slices.IndexFunc(segments, func(s string) bool { return strings.ContainsAny(s, `*?[\`) }); i >= 0 {
		segments = segments[:i]
	}
	return strings.Join(segments, "/")
}

func (a Application) renderedSource() v1alpha1.ApplicationSource {
	if a.source < 0 {
		return a.object.Spec.GetSource()
	}
	return a.object.Spec.Sources[a.source]
}

// Environment returns the variables, NAME=value, that Argo CD passes to the
// plugin for a render at a revision (argo-cd, reposerver/repository,
// getPluginEnvs), in a fixed order. What the destination's cluster is like is not
// among them, see [OwnCluster].
func (a Application) Environment(revision string) ([]string, error) {
	source := a.renderedSource()
	// As Argo CD writes them: null where there are none.
	parameters, err := json.Marshal(source.Plugin.Parameters)
	if err != nil {
		return nil, fmt.Errorf("Application %s: its plugin parameters cannot be written: %w", a.Key(), err)
	}
	short := func(digits int) string { return revision[:min(digits, len(revision))] }
	build := &v1alpha1.Env{
		{Name: "ARGOCD_APP_NAME", Value: a.Instance},
		{Name: "ARGOCD_APP_NAMESPACE", Value: a.object.Spec.Destination.Namespace},
		{Name: "ARGOCD_APP_REVISION", Value: revision},
		{Name: "ARGOCD_APP_REVISION_SHORT", Value: short(7)},
		{Name: "ARGOCD_APP_REVISION_SHORT_8", Value: short(8)},
		{Name: "ARGOCD_APP_SOURCE_PATH", Value: source.Path},
		{Name: "ARGOCD_APP_SOURCE_REPO_URL", Value: source.RepoURL},
		{Name: "ARGOCD_APP_SOURCE_TARGET_REVISION", Value: source.TargetRevision},
	}
	all := build.Environ()
	for _, own := range source.Plugin.Env {
		// The value of each may name those before (argo-cd, getPluginParamEnvs).
		if own != nil && own.Value != "" {
			all = append(all, "ARGOCD_ENV_"+own.Name+"="+build.Envsubst(own.Value))
		}
	}
	all = append(all, "ARGOCD_APP_PARAMETERS="+string(parameters))
	for _, variable := range all {
		if strings.ContainsRune(variable, 0) {
			return nil, fmt.Errorf("Application %s: its plugin parameters or variables hold a NUL, which no program can be passed: remove it", a.Key())
		}
	}
	return all, nil
}

// IgnoreDifferences returns the fields that the Application wants left out of
// comparisons.
func (a Application) IgnoreDifferences() []v1alpha1.ResourceIgnoreDifferences {
	return a.object.Spec.IgnoreDifferences
}

// Prunes tells whether a sync operation that Waybill starts deletes what is no
// longer among the manifests, see [Applications.StartSync].
func (a Application) Prunes() bool {
	policy := a.object.Spec.SyncPolicy
	return policy != nil && policy.Automated != nil && policy.Automated.Prune
}
