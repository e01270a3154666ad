package doctor

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// stuckAfter is how long an operation may run before it is told of.
const stuckAfter = time.Hour

// commitID is a revision that is no branch.
var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// trouble collects Applications that have the same fault, so that a thousand of
// them are one finding.
type trouble struct {
	severity     finding.Severity
	fact, remedy string
	names        []string
}

// troubles are faults in the order in which they were met.
type troubles []*trouble

// add notes that an Application has a fault. The fact ends where the names begin.
func (t *troubles) add(severity finding.Severity, a Application, remedy, fact string) {
	for _, known := range *t {
		if known.fact == fact && known.remedy == remedy {
			known.names = append(known.names, a.Meta.Key())
			return
		}
	}
	*t = append(*t, &trouble{severity, fact, remedy, []string{a.Meta.Key()}})
}

func (t troubles) tell(l *finding.List) {
	for _, one := range t {
		fact := one.fact + ": " + finding.Names(one.names)
		switch one.severity {
		case finding.OK:
			l.OK("%s", fact)
		case finding.Warning:
			l.Warn(one.remedy, "%s", fact)
		case finding.Error:
			l.Fail(one.remedy, "%s", fact)
		}
		l.About(one.names)
	}
}

// applications looks at those that are bound to stages.
func applications(in Installation) []finding.Finding {
	l := finding.For(CheckApplications)
	if in.Applications.Err != nil {
		return nil
	}
	if len(in.Applications.Value) == 0 {
		l.Warn("annotate an Application with "+annotationStage+": <pipeline>/<stage>, and render it with plugin.name: "+pluginName, "no Application is bound to a stage")
		return l.All()
	}
	l.OK("Applications bound to stages: %d", len(in.Applications.Value))
	known := map[string]inForce{}
	for _, p := range documents(in) {
		known[p.name.String()] = p
	}
	var t troubles
	for _, a := range in.Applications.Value {
		binding(&t, in, known, a)
		source(&t, a)
		status(&t, in, a)
		if a.Spec.SyncPolicy.automated() && !a.Spec.SyncPolicy.Automated.Prune {
			t.add(finding.OK, a, "", "these sync by themselves without prune, so that what freight no longer has stays in the cluster")
		}
	}
	t.tell(l)
	return l.All()
}

// binding looks at the stage that an Application asks to join.
func binding(t *troubles, in Installation, known map[string]inForce, a Application) {
	name, err := a.stage()
	if err != nil {
		t.add(finding.Error, a, "write "+annotationStage+": [<namespace>/]<pipeline>/<stage>", "the annotation "+annotationStage+" names no stage ("+err.Error()+")")
		return
	}
	if !in.Pipelines.ok() {
		return
	}
	p, ok := known[name.Pipeline.String()]
	if !ok {
		t.add(finding.Error, a, "apply the pipeline's ConfigMap, or correct the annotation", "pipeline "+name.Pipeline.Short()+", which they are bound to, does not exist or is not valid")
		return
	}
	stage, ok := p.document.Stage(name.Stage)
	switch {
	case !ok:
		t.add(finding.Error, a, "correct the annotation; the pipeline has "+finding.Names(stageNames(p.document)), "stage "+name.String()+", which they are bound to, does not exist")
	case a.project() != p.document.ProjectOf(stage):
		t.add(finding.Error, a, "move them to AppProject "+p.document.ProjectOf(stage)+", or set the stage's project", "stage "+name.String()+" takes no Applications of AppProject "+a.project())
	}
}

func stageNames(d pipeline.Document) []string {
	names := make([]string, len(d.Stages))
	for i, s := range d.Stages {
		names[i] = s.Name
	}
	return names
}

// source looks at what an Application is rendered from.
func source(t *troubles, a Application) {
	rendered := a.rendered()
	switch {
	case len(rendered) == 0:
		t.add(finding.Error, a, "set plugin.name: "+pluginName+" (argocd-waybill convert rewrites an Application)", "no source is rendered by Waybill's plugin, so that nothing is pinned")
		return
	case len(rendered) > 1:
		t.add(finding.Error, a, "keep one of them: an Application has one waybill", "several sources are rendered by Waybill's plugin")
		return
	}
	s := rendered[0]
	if s.Chart != "" {
		t.add(finding.Error, a, "give it a source in Git that depends on the chart", "the source is a chart, which holds no waybill")
	}
	if natives := s.natives(); len(natives) > 0 {
		t.add(finding.Error, a, "remove it from the source, and set the plugin's parameters in its place", "the source has "+strings.Join(natives, " and ")+" beside plugin, which Argo CD refuses (multiple application sources defined)")
	}
	switch revision := s.TargetRevision; {
	case revision == "" || revision == "HEAD":
		t.add(finding.Warning, a, "write the branch as targetRevision", "targetRevision is HEAD, so that a change of the repository's default branch moves what runs")
	case commitID.MatchString(revision), strings.HasPrefix(revision, "refs/tags/"):
		t.add(finding.Error, a, "write the branch as targetRevision", "targetRevision is a commit or a tag, and waybills are committed to a branch")
	}
	switch paths := a.Meta.Annotations[annotationPaths]; {
	case strings.TrimSpace(paths) == "":
		t.add(finding.Warning, a, `annotate them with `+annotationPaths+` ("." for their own folder alone, and what it refers to)`,
			"the annotation "+annotationPaths+" is missing, so that each render packs the whole checkout with .git")
	case packed(s.Path, paths) == "":
		t.add(finding.Warning, a, "bring what they are rendered from below one folder, such as /services/shop with its base and its overlays",
			"what the annotation "+annotationPaths+" names has nothing but the root of the repository in common, so that each render packs the whole checkout with .git")
	}
	if hydrator := string(a.Spec.SourceHydrator); hydrator != "" && hydrator != "null" {
		t.add(finding.Warning, a, "use the hydrator or the plugin, and keep waybills in Git", "they have a source hydrator, which renders without the plugin's cluster facts and paths")
	}
	types := slices.Concat(a.Status.SourceTypes, []string{a.Status.SourceType})
	if used := strings.Join(types, ""); used != "" && !slices.Contains(types, "Plugin") {
		t.add(finding.Warning, a, "look for plugin: null in .argocd-source.yaml or .argocd-source-<application>.yaml of the path", "Argo CD has rendered them as "+used+", not by the plugin")
	}
}

// packed returns the folder that Argo CD packs for a render of a path: what the
// path and all that the annotation names have in common (argo-cd,
// reposerver/repository, getApplicationRootPath). Empty for the whole checkout.
func packed(source, annotation string) string {
	common := folders("/" + source)
	for _, named := range strings.Split(annotation, ";") {
		if named = strings.TrimSpace(named); named == "" {
			continue
		}
		if !strings.HasPrefix(named, "/") {
			named = "/" + source + "/" + named
		}
		parts := folders(named)
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	return strings.Join(common, "/")
}

func folders(name string) []string {
	return strings.FieldsFunc(path.Clean(name), func(r rune) bool { return r == '/' })
}

// status looks at what Argo CD says of an Application.
func status(t *troubles, in Installation, a Application) {
	for _, c := range a.Status.Conditions {
		if c.Type != "ComparisonError" && c.Type != "InvalidSpecError" {
			continue
		}
		own := ownWords(c.Message)
		if strings.Contains(c.Message, "Manifest generation error (cached)") {
			t.add(finding.Error, a, "mend the cause, then argocd app get <application> --hard-refresh: until then Argo CD repeats the error for up to an hour without trying", "rendering is paused after failures ("+own+")")
			continue
		}
		t.add(finding.Error, a, "mend the cause; Argo CD tries again with the next refresh", "Argo CD reports "+c.Type+" ("+own+")")
	}
	state := a.Status.OperationState
	switch {
	case state != nil && (state.Phase == "Running" || state.Phase == "Terminating") && in.Now.Sub(state.StartedAt) > stuckAfter:
		remedy := "look at what it waits for, or argocd app terminate-op <application>"
		if strings.Contains(state.Message, "sync window") {
			remedy = "wait for the window, or argocd app terminate-op <application>"
		}
		t.add(finding.Warning, a, remedy, fmt.Sprintf("an operation runs for more than %d min, and promotions wait for it", int(stuckAfter.Minutes())))
	case state == nil && len(a.Operation) > 0 && string(a.Operation) != "null":
		t.add(finding.Warning, a, "look at the log of argocd-application-controller", "an operation was asked for and has not begun")
	}
}

// ownWords takes the plugin's own words out of an error that Argo CD wraps, its
// first line.
func ownWords(message string) string {
	if _, own, found := strings.Cut(message, "waybill-plugin generate` failed exit status 1: "); found {
		message = own
	}
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	const most = 200
	if runes := []rune(message); len(runes) > most {
		message = string(runes[:most]) + "…"
	}
	return message
}

// repositories returns the Git repositories of the bound Applications, sorted.
func repositories(in Installation) []string {
	urls := map[string]bool{}
	for _, a := range in.Applications.Value {
		for _, s := range a.rendered() {
			if s.RepoURL != "" && s.Chart == "" {
				urls[s.RepoURL] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(urls))
}
