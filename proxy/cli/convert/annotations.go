package convert

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/extension/pipeline"
)

// The annotations that conversion sets.
const (
	// annotationStage binds an Application to a stage.
	annotationStage = "waybill.dev/stage"
	// annotationPaths are what a render reads (argo-cd, v1alpha1,
	// AnnotationKeyManifestGeneratePaths).
	annotationPaths = "argocd.argoproj.io/manifest-generate-paths"
	// updaterPrefix is that of Argo CD Image Updater, which writes the fields of
	// native sources.
	updaterPrefix = "argocd-image-updater.argoproj.io/"
)

// annotate sets the annotations that the plugin needs, and tells of those that
// it would need.
func (m *move) annotate(s source, kind parameters.Kind, reads *Reads) {
	annotations := fieldOf(m.metadata, "annotations")
	var added []entry
	if stage, found := m.stage(annotations); found {
		added = append(added, stage)
	}
	if paths, found := m.paths(s, kind, annotations, reads); found {
		added = append(added, paths)
	}
	m.annotations(added, nil)
}

func (m *move) stage(annotations *yaml.Node) (entry, bool) {
	path := "metadata.annotations." + annotationStage
	_, there := find(annotations, annotationStage)
	now, asked := textOf(annotations, annotationStage), m.options.Stage
	switch {
	case asked == "" && !there:
		m.note("it belongs to no stage yet: pass --stage, or add the annotation %s: <pipeline>/<stage>", annotationStage)
	case asked == "":
	case there && now != asked:
		m.refuse(path, "it belongs to the stage "+now+", and not to "+asked, "change it by hand, or leave --stage away")
	case !there:
		if _, err := pipeline.ParseStageName(asked); err != nil && !m.isTemplated(asked) {
			m.refuse(path, err.Error(), "correct --stage")
			return entry{}, false
		}
		return entry{text(annotationStage), text(asked)}, true
	}
	return entry{}, false
}

// paths returns the annotation that names what a render reads, where that is
// known and it is not there. A wrong one would leave manifests as they were
// though their files changed, so what is not known is not written.
func (m *move) paths(s source, kind parameters.Kind, annotations *yaml.Node, reads *Reads) (entry, bool) {
	const why = "without it Argo CD packs the whole repository for each render"
	own := "/" + strings.Trim(strings.TrimPrefix(textOf(s.node, "path"), "./"), "/")
	_, there := find(annotations, annotationPaths)
	switch {
	case there && reads != nil && reads.Unknown == "":
		if missing := reads.beyond(textOf(annotations, annotationPaths), textOf(s.node, "path")); len(missing) > 0 {
			m.note("its annotation %s lacks %s, which a render reads: changes there would not be seen", annotationPaths, strings.Join(missing, ";"))
		}
	case there:
	case reads == nil:
		m.note("add the annotation %s, %s: %s and %s; --repo with a clone of its repository computes it", annotationPaths, why, own, besides(kind))
	case reads.Unknown != "":
		m.note("add the annotation %s, %s; it cannot be computed: %s", annotationPaths, why, reads.Unknown)
	case s.several:
		m.note("add the annotation %s, %s: it holds for all sources, of which this one reads %s", annotationPaths, why, reads.Value())
	default:
		return entry{text(annotationPaths), text(reads.Value())}, true
	}
	return entry{}, false
}

// besides names what a render of a kind may read outside of its path.
func besides(kind parameters.Kind) string {
	switch kind {
	case parameters.Chart:
		return "the folder of each value file outside of the chart"
	case parameters.Plain:
		return "nothing else"
	case parameters.Kustomization:
		return "the folder of each base and component that it reads"
	default:
		return "the folder of each base, component and value file that it reads"
	}
}

// annotations adds and removes annotations.
func (m *move) annotations(added []entry, removed []string) {
	const path = "metadata.annotations"
	field, there := lookUp(m.metadata, "annotations")
	if there && !isNull(field.value) && field.value.Kind != yaml.MappingNode {
		m.refuse(path, "it is no mapping", "mend it")
		return
	}
	kept, gone := []entry{}, []entry{}
	if there {
		for _, e := range entries(field.value) {
			if slices.Contains(removed, e.key.Value) {
				gone = append(gone, e)
			} else {
				kept = append(kept, e)
			}
		}
	}
	all := entry{text("annotations"), mapping(append(kept, added...)...)}
	switch {
	case len(added) == 0 && len(gone) == 0:
	case isFlow(m.metadata):
		m.unfoldMetadata(all)
	case !there:
		e, err := m.stream.add(m.metadata, all)
		m.change(path, e, err)
	case len(all.value.Content) == 0:
		e, err := m.stream.remove(m.metadata, field)
		m.change(path, e, err)
	case !isBlockMapping(field.value):
		e, err := m.stream.replace(m.metadata, field, all)
		m.change(path, e, err)
	default:
		for _, e := range gone {
			removal, err := m.stream.remove(field.value, e)
			m.change(join(path, e.key.Value), removal, err)
		}
		for _, e := range added {
			addition, err := m.stream.add(field.value, e)
			m.change(join(path, e.key.Value), addition, err)
		}
	}
}

// unfoldMetadata writes metadata that stands in braces one field a line, with
// other annotations.
func (m *move) unfoldMetadata(annotations entry) {
	parent := m.root
	if m.Kind == kindApplicationSet {
		parent = fieldOf(fieldOf(m.root, "spec"), "template")
	}
	whole, _ := lookUp(parent, "metadata")
	e, err := m.stream.unfold(parent, whole, func(block *yaml.Node) {
		block.Content = nil
		for _, e := range entries(whole.value) {
			if e.key.Value != annotations.key.Value {
				block.Content = append(block.Content, e.key, e.value)
			}
		}
		if len(annotations.value.Content) > 0 {
			block.Content = append(block.Content, annotations.key, annotations.value)
		}
	})
	m.change("metadata", e, err)
}

// hint tells of what works against the plugin from outside of the source.
func (m *move) hint() {
	for _, e := range entries(fieldOf(m.metadata, "annotations")) {
		if strings.HasPrefix(e.key.Value, updaterPrefix) {
			m.note("Argo CD Image Updater writes the fields of native sources, which are gone: a warehouse takes its place, remove its annotations")
			break
		}
	}
}
