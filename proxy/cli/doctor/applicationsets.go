package doctor

import (
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
)

const (
	// keyPreserved keeps annotations of all ApplicationSets' Applications.
	keyPreserved = "applicationsetcontroller.global.preserved.annotations"

	// The policies by which an ApplicationSet never updates its Applications.
	createOnly   = "create-only"
	createDelete = "create-delete"

	pointerStage  = "/metadata/annotations/waybill.dev~1stage"
	pointerPlugin = "/spec/source/plugin/env"
)

// applicationSets looks at those that own bound Applications. With each
// reconciliation an ApplicationSet writes its Applications' annotations and spec
// anew, as its template says (argo-cd, applicationset/controllers).
func applicationSets(in Installation) []finding.Finding {
	l := finding.For(CheckApplicationSets)
	if in.ApplicationSets.Err != nil || in.Applications.Err != nil {
		return nil
	}
	owned := map[string][]Application{}
	for _, a := range in.Applications.Value {
		if owner, ok := a.owner(); ok {
			owned[a.Meta.Namespace+"/"+owner] = append(owned[a.Meta.Namespace+"/"+owner], a)
		}
	}
	for _, set := range in.ApplicationSets.Value {
		apps := owned[set.Meta.Key()]
		if len(apps) == 0 {
			continue
		}
		before := len(l.All())
		if policy := set.Spec.SyncPolicy.ApplicationsSync; policy == createOnly || policy == createDelete {
			l.OK("ApplicationSet %s does not update its Applications (%s)", set.Meta.Key(), policy)
			continue
		}
		keepsAnnotation(l, in, set)
		keepsSource(l, set, apps)
		if len(l.All()) == before {
			l.OK("ApplicationSet %s leaves the binding and the waybills of its Applications alone", set.Meta.Key())
		}
	}
	return l.All()
}

// keepsAnnotation tells whether Applications stay bound.
func keepsAnnotation(l *finding.List, in Installation, set ApplicationSet) {
	if _, writes := set.Spec.Template.Metadata.Annotations[annotationStage]; writes ||
		slices.Contains(set.Spec.PreservedFields.Annotations, annotationStage) ||
		slices.Contains(words(in.Parameters.Value.Data[keyPreserved]), annotationStage) ||
		set.ignores(pointerStage) {
		return
	}
	remedy := "write " + annotationStage + " into the template's annotations, or add it to preservedFields.annotations"
	if set.patched(annotationStage) {
		return
	}
	l.Fail(remedy, "ApplicationSet %s takes the annotation %s away from its Applications with its next reconciliation: neither does its template have it, nor is it preserved", set.Meta.Key(), annotationStage)
}

// keepsSource tells whether Applications stay rendered by the plugin, and keep a
// waybill that is carried in their spec.
func keepsSource(l *finding.List, set ApplicationSet, apps []Application) {
	template := set.Spec.Template.Spec.Sources
	if s := set.Spec.Template.Spec.Source; s != nil {
		template = append(slices.Clone(template), *s)
	}
	names := func(s Source) bool { return s.Plugin != nil }
	if len(template) > 0 && !slices.ContainsFunc(template, names) && !set.patched("plugin") && !set.ignores("/spec/source/plugin") {
		l.Fail("write plugin.name: "+pluginName+" into the template", "ApplicationSet %s has no plugin in its template, so that its Applications are rendered without Waybill", set.Meta.Key())
	}
	var carriers []string
	for _, a := range apps {
		if slices.ContainsFunc(a.rendered(), Source.carries) {
			carriers = append(carriers, a.Meta.Key())
		}
	}
	if len(carriers) > 0 && !set.ignores(pointerPlugin) {
		l.Fail("add ignoreApplicationDifferences: [{jsonPointers: ["+pointerPlugin+"]}], or let the stage write waybills to Git",
			"ApplicationSet %s undoes the waybills that its Applications carry in plugin.env: %s", set.Meta.Key(), finding.Names(carriers))
		l.About(carriers)
	}
}

// ignores tells whether the ApplicationSet leaves a field alone, by a pointer to
// it or to what it is in. An expression of jq may mean anything that it names.
func (s ApplicationSet) ignores(pointer string) bool {
	last := pointer[strings.LastIndex(pointer, "/")+1:]
	last = strings.ReplaceAll(last, "~1", "/")
	for _, ignored := range s.Spec.IgnoreApplicationDifferences {
		for _, p := range ignored.JSONPointers {
			if p == pointer || strings.HasPrefix(pointer, strings.TrimSuffix(p, "/")+"/") {
				return true
			}
		}
		for _, expression := range ignored.JQPathExpressions {
			if strings.Contains(expression, last) {
				return true
			}
		}
	}
	return false
}

// patched tells whether the patch of the template names a field. What comes out
// of it is known only to Argo CD.
func (s ApplicationSet) patched(field string) bool {
	return s.Spec.TemplatePatch != nil && strings.Contains(*s.Spec.TemplatePatch, field)
}

// words splits a list that is written with commas.
func words(text string) []string {
	var all []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}
