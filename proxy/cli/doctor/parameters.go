package doctor

import (
	"time"

	"github.com/waybill-cd/waybill/extension/finding"
)

// What Argo CD's manifests and its Helm chart call its parts.
const (
	serverName     = "argocd-server"
	repoServerName = "argocd-repo-server"
	serverChart    = "server" // the container's name in the Helm chart
	repoChart      = "repo-server"
)

// The settings of argocd-cmd-params-cm that Waybill needs.
const (
	keyExtensions = "server.enable.proxy.extension"
	keyPaths      = "reposerver.plugin.use.manifest.generate.paths"
)

// switched is a setting that has to be on.
type switched struct {
	key, flag, variable string
	component           string
	lacking             string
	severity            finding.Severity
}

// parameters looks at argocd-cmd-params-cm, which components read when they
// start. A flag or a variable of the Deployment goes before it.
func parameters(in Installation) []finding.Finding {
	l := finding.For(CheckParameters)
	if in.Parameters.Err != nil {
		return nil
	}
	for _, s := range []switched{
		{
			keyExtensions, "--enable-proxy-extension", "ARGOCD_SERVER_ENABLE_PROXY_EXTENSION",
			serverName, "argocd-server serves no proxy extension, so that nobody reaches Waybill", finding.Error,
		},
		{
			keyPaths, "--plugin-use-manifest-generate-paths", "ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS",
			repoServerName, "the repo-server packs the whole checkout with .git for each render, whatever the annotation " + annotationPaths + " says", finding.Warning,
		},
	} {
		s.look(l, in)
	}
	return l.All()
}

func (s switched) look(l *finding.List, in Installation) {
	remedy := setKey(in, "argocd-cmd-params-cm", s.key, "true") + " && " + restart(in, s.component)
	value, set := in.Parameters.Value.Data[s.key]
	switch {
	case s.byDeployment(in):
		l.OK("%s is set by the Deployment itself", s.key)
		return
	case value == "true":
		l.OK(`%s is "true"`, s.key)
	default:
		state := "is not set"
		if set {
			state = "is " + quoted(value)
		}
		add := l.Fail
		if s.severity == finding.Warning {
			add = l.Warn
		}
		add(remedy, "%s %s: %s", s.key, state, s.lacking)
		return
	}
	stale(l, in.Pods, s.component, in.Parameters.Value.Meta.changed(s.key), in, "argocd-cmd-params-cm")
}

func (s switched) byDeployment(in Installation) bool {
	d, ok := deployment(in.Deployments, s.component)
	if !ok {
		return false
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.says(s.flag, s.variable) {
			return true
		}
	}
	return false
}

// stale warns of pods that run since before a change that they read at their
// start alone. When a writer last wrote is known, not when it wrote the one key,
// so that this may be a false alarm.
func stale(l *finding.List, pods Part[[]Pod], of string, change time.Time, in Installation, what string) {
	container := of
	for _, p := range pods.Value {
		for _, s := range p.Status.ContainerStatuses {
			if p.Meta.Labels[labelName] == of && (s.Name == serverChart || s.Name == repoChart) {
				container = s.Name
			}
		}
	}
	if old := older(pods, of, container, change); len(old) > 0 {
		l.Warn(restart(in, of)+", unless that change was another",
			"%s was changed %s, and %s runs since before: %s", what, in.ago(change), of, finding.Names(old))
		l.About(old)
	}
}

// quoted writes a value for a sentence, the beginning of a long one.
func quoted(value string) string {
	const most = 40
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "…"
	}
	return `"` + value + `"`
}
