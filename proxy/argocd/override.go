package argocd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	jsonpatch "github.com/evanphx/json-patch"
	"sigs.k8s.io/yaml"
)

// Overridden returns the Application as Argo CD renders it where its path holds
// .argocd-source.yaml, or .argocd-source-<name>.yaml: both are merged into the
// source, of which repository, path, revision and chart stay (argo-cd,
// reposerver/repository, mergeSourceParameters). read returns a file of the path,
// and fs.ErrNotExist for one that is not there.
func (a Application) Overridden(read func(name string) ([]byte, error)) (Application, error) {
	source := a.renderedSource()
	merged, changed := *source.DeepCopy(), false
	for _, name := range []string{".argocd-source.yaml", ".argocd-source-" + a.Instance + ".yaml"} {
		patch, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		broken := fmt.Errorf("Application %s: %s in its path cannot be merged into its source: correct it", a.Key(), name)
		if err != nil {
			return a, broken
		}
		before, err := json.Marshal(merged)
		if err != nil {
			return a, broken
		}
		if patch, err = yaml.YAMLToJSON(patch); err != nil {
			return a, broken
		}
		after, err := jsonpatch.MergePatch(before, patch)
		if err != nil {
			return a, broken
		}
		// Into what there is, as Argo CD does: what the patch removes stays.
		if err := json.Unmarshal(after, &merged); err != nil {
			return a, broken
		}
		changed = true
	}
	if !changed {
		return a, nil
	}
	if merged.Plugin == nil || merged.Plugin.Name != PluginName {
		return a, fmt.Errorf("Application %s: a file .argocd-source in its path has Argo CD render it without Waybill: take the plugin out of it", a.Key())
	}
	merged.Chart, merged.Path, merged.RepoURL, merged.TargetRevision = source.Chart, source.Path, source.RepoURL, source.TargetRevision
	a.object = a.object.DeepCopy()
	if a.source < 0 {
		a.object.Spec.Source = &merged
	} else {
		a.object.Spec.Sources[a.source] = merged
	}
	return a, nil
}
