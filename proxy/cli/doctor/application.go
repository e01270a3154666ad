package doctor

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

const (
	// annotationStage binds an Application to a stage.
	annotationStage = "waybill.dev/stage"
	// annotationPaths narrows what Argo CD packs for a render.
	annotationPaths = "argocd.argoproj.io/manifest-generate-paths"
	// pluginName is the plugin's, which Applications write.
	pluginName = "waybill"
	// variableWaybill is the variable of the plugin that may hold a waybill.
	variableWaybill = "WAYBILL"
)

// Source is where an Application's manifests come from.
type Source struct {
	RepoURL        string          `json:"repoURL"`
	TargetRevision string          `json:"targetRevision"`
	Path           string          `json:"path"`
	Chart          string          `json:"chart"`
	Plugin         *SourcePlugin   `json:"plugin"`
	Helm           json.RawMessage `json:"helm"`
	Kustomize      json.RawMessage `json:"kustomize"`
	Directory      json.RawMessage `json:"directory"`
}

// SourcePlugin asks for a plugin.
type SourcePlugin struct {
	Name       string          `json:"name"`
	Env        []EnvVar        `json:"env"`
	Parameters json.RawMessage `json:"parameters"`
}

// own tells whether Waybill's plugin renders the source.
func (s Source) own() bool { return s.Plugin != nil && s.Plugin.Name == pluginName }

// carries tells whether the source carries its waybill in the plugin's variable.
func (s Source) carries() bool {
	return s.own() && slices.ContainsFunc(s.Plugin.Env, func(e EnvVar) bool { return e.Name == variableWaybill && e.Value != "" })
}

// natives names the native renderers whose options the source sets.
func (s Source) natives() []string {
	var names []string
	for _, n := range []struct {
		name  string
		value json.RawMessage
	}{{"helm", s.Helm}, {"kustomize", s.Kustomize}, {"directory", s.Directory}} {
		if len(n.value) > 0 && string(n.value) != "null" {
			names = append(names, n.name)
		}
	}
	return names
}

// SyncPolicy is an Application's.
type SyncPolicy struct {
	Automated *struct {
		Enabled  *bool `json:"enabled"`
		Prune    bool  `json:"prune"`
		SelfHeal bool  `json:"selfHeal"`
	} `json:"automated"`
}

// automated tells whether Argo CD syncs by itself. From 3.1 on that can be
// switched off by a field of its own.
func (p *SyncPolicy) automated() bool {
	return p != nil && p.Automated != nil && (p.Automated.Enabled == nil || *p.Automated.Enabled)
}

// Condition is what Argo CD says of an Application.
type Condition struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Application is Argo CD's.
type Application struct {
	Meta Meta `json:"metadata"`
	Spec struct {
		Project     string   `json:"project"`
		Source      *Source  `json:"source"`
		Sources     []Source `json:"sources"`
		Destination struct {
			Name string `json:"name"`
		} `json:"destination"`
		SyncPolicy     *SyncPolicy     `json:"syncPolicy"`
		SourceHydrator json.RawMessage `json:"sourceHydrator"`
	} `json:"spec"`
	Operation json.RawMessage `json:"operation"`
	Status    struct {
		SourceType     string      `json:"sourceType"`
		SourceTypes    []string    `json:"sourceTypes"`
		Conditions     []Condition `json:"conditions"`
		OperationState *struct {
			Phase     string    `json:"phase"`
			Message   string    `json:"message"`
			StartedAt time.Time `json:"startedAt"`
		} `json:"operationState"`
	} `json:"status"`
}

// sources returns all sources. As in Argo CD, several go before the single one.
func (a Application) sources() []Source {
	if len(a.Spec.Sources) > 0 {
		return a.Spec.Sources
	}
	if a.Spec.Source != nil {
		return []Source{*a.Spec.Source}
	}
	return nil
}

// rendered returns the sources that Waybill's plugin renders.
func (a Application) rendered() []Source {
	return slices.DeleteFunc(slices.Clone(a.sources()), func(s Source) bool { return !s.own() })
}

// project returns the Application's AppProject.
func (a Application) project() string {
	if a.Spec.Project == "" {
		return "default"
	}
	return a.Spec.Project
}

// stage returns the stage that the Application asks to join.
func (a Application) stage() (pipeline.StageName, error) {
	return pipeline.ParseStageName(a.Meta.Annotations[annotationStage])
}

// owner returns the ApplicationSet that made the Application.
func (a Application) owner() (string, bool) {
	for _, o := range a.Meta.OwnerReferences {
		if o.Kind == "ApplicationSet" {
			return o.Name, true
		}
	}
	return "", false
}

// ApplicationSet is Argo CD's.
type ApplicationSet struct {
	Meta Meta `json:"metadata"`
	Spec struct {
		Template struct {
			Metadata struct {
				Annotations map[string]string `json:"annotations"`
			} `json:"metadata"`
			Spec struct {
				Source  *Source  `json:"source"`
				Sources []Source `json:"sources"`
			} `json:"spec"`
		} `json:"template"`
		TemplatePatch   *string `json:"templatePatch"`
		PreservedFields struct {
			Annotations []string `json:"annotations"`
		} `json:"preservedFields"`
		SyncPolicy struct {
			ApplicationsSync string `json:"applicationsSync"`
		} `json:"syncPolicy"`
		IgnoreApplicationDifferences []struct {
			JSONPointers      []string `json:"jsonPointers"`
			JQPathExpressions []string `json:"jqPathExpressions"`
		} `json:"ignoreApplicationDifferences"`
	} `json:"spec"`
}
