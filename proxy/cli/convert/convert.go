// Package convert moves Applications between a native source (kustomize, helm,
// directory) and Waybill's plugin, in the text of the file that holds them:
// what has nothing to do with the source stays as it is, byte for byte.
//
// It refuses what would mean something else afterwards, by name: nothing is
// dropped in silence, and nothing is guessed.
package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options tell how to convert.
type Options struct {
	// Back moves from the plugin to a native source.
	Back bool
	// Stage is the value of the annotation waybill.dev/stage to set; empty sets
	// none.
	Stage string
	// Source is which of several sources moves, counted from 1; zero is the one
	// that can.
	Source int
	// AllowUnpinned adds the parameter unpinned: allow.
	AllowUnpinned bool
	// Clone of the repository that the sources name; nil where there is none to
	// look into.
	Clone *Clone
}

// Result is what became of a file.
type Result struct {
	// Text is the whole file, in which the Applications that cannot move are as
	// they were.
	Text []byte
	// Changes are the lines of the file that changed, in order.
	Changes []Change
	// Applications are those of the file, in order; what else it holds is passed
	// over.
	Applications []Application
}

// Application is what became of one Application, or of the template of an
// ApplicationSet.
type Application struct {
	// Kind is Application or ApplicationSet.
	Kind string
	// Name is [<namespace>/]<name>.
	Name string
	// Changed tells whether the text has another one now.
	Changed bool
	// Obstacles are why it cannot move. With one of them it is left unchanged.
	Obstacles []Obstacle
	// Notes are what to know or to do, sentences for people.
	Notes []string
}

// Obstacle is a field that keeps an Application from moving.
type Obstacle struct {
	// Path of the field in its document, such as spec.source.helm.version.
	Path string
	// Reason why it cannot move, and Remedy what to do about it.
	Reason, Remedy string
}

// String tells it in one line.
func (o Obstacle) String() string {
	if o.Path == "" {
		return o.Reason + ": " + o.Remedy
	}
	return o.Path + " cannot move: " + o.Reason + ": " + o.Remedy
}

// The kinds of resources that are converted, and those that hold some.
const (
	group              = "argoproj.io/"
	kindApplication    = "Application"
	kindApplicationSet = "ApplicationSet"
)

// maxSeparate bounds the Applications of a file that are tried one by one.
const maxSeparate = 100

// Convert converts all Applications of a file. The error tells why nothing of it
// can be: it is not readable, or its text cannot be edited safely.
func Convert(text []byte, o Options) (Result, error) {
	result, err := convert(text, o, func(int) bool { return true })
	if !errors.Is(err, errElsewhere) || len(result.Applications) > maxSeparate {
		return only(result, err)
	}
	// One of them spoils it for the others.
	stays := map[int]bool{}
	for i := range result.Applications {
		_, err := convert(text, o, func(other int) bool { return other == i })
		stays[i] = err != nil
	}
	return only(convert(text, o, func(i int) bool { return !stays[i] }))
}

func only(result Result, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// convert converts those Applications of a file that may be, by their place among
// all. Beside errElsewhere there is a result, without a text.
func convert(text []byte, o Options, may func(int) bool) (Result, error) {
	s, err := read(text)
	if err != nil {
		return Result{}, err
	}
	result := Result{Text: text}
	var edits []edit
	for _, document := range s.documents {
		if len(document.Content) != 1 {
			continue
		}
		m := newMove(s, o, document.Content[0])
		if m == nil {
			continue
		}
		m.run()
		if len(m.edits) > 0 && !may(len(result.Applications)) {
			m.Obstacles = append(m.Obstacles, Obstacle{Reason: errElsewhere.Error(), Remedy: shapeRemedy})
		}
		if len(m.Obstacles) > 0 {
			m.edits, m.Notes = nil, nil
		}
		m.Changed = len(m.edits) > 0
		edits = append(edits, m.edits...)
		result.Applications = append(result.Applications, m.Application)
	}
	if len(edits) == 0 {
		return result, nil
	}
	if result.Text, err = s.make(edits); err != nil {
		return result, err
	}
	result.Changes = s.changes(edits)
	return result, nil
}

// move is one Application on its way.
type move struct {
	Application
	stream  *stream
	options Options
	// root is the document; prefix is where the Application stands in it.
	root   *yaml.Node
	prefix string
	// metadata and spec are the Application's.
	metadata, spec *yaml.Node
	edits          []edit
	// trial is one that only finds obstacles.
	trial bool
}

// newMove returns nil for a document that is no Application.
func newMove(s *stream, o Options, root *yaml.Node) *move {
	kind := textOf(root, "kind")
	version := textOf(root, "apiVersion")
	m := &move{stream: s, options: o, root: root}
	m.Kind = kind
	switch {
	case kind == kindApplication && strings.HasPrefix(version, group):
		m.metadata, m.spec = fieldOf(root, "metadata"), fieldOf(root, "spec")
		m.Name = nameOf(m.metadata)
	case kind == kindApplicationSet && strings.HasPrefix(version, group):
		template := fieldOf(fieldOf(root, "spec"), "template")
		m.metadata, m.spec = fieldOf(template, "metadata"), fieldOf(template, "spec")
		m.prefix = "spec.template."
		m.Name = nameOf(fieldOf(root, "metadata"))
	case strings.HasSuffix(kind, "List") && holdsApplications(root):
		m.Name = nameOf(fieldOf(root, "metadata"))
		m.refuse("items", "Applications in a list are not converted", "write each as a document of its own")
	default:
		return nil
	}
	return m
}

func holdsApplications(list *yaml.Node) bool {
	items := fieldOf(list, "items")
	return items != nil && slices.ContainsFunc(items.Content, func(item *yaml.Node) bool {
		return strings.HasPrefix(textOf(item, "apiVersion"), group) &&
			slices.Contains([]string{kindApplication, kindApplicationSet}, textOf(item, "kind"))
	})
}

func fieldOf(mapping *yaml.Node, name string) *yaml.Node {
	e, found := find(mapping, name)
	if !found {
		return nil
	}
	return e.value
}

func nameOf(metadata *yaml.Node) string {
	name := textOf(metadata, "name")
	if name == "" {
		name = "without a name"
	}
	if namespace := textOf(metadata, "namespace"); namespace != "" {
		return namespace + "/" + name
	}
	return name
}

func (m *move) refuse(path, reason, remedy string) {
	m.Obstacles = append(m.Obstacles, Obstacle{m.prefix + path, reason, remedy})
}

func (m *move) note(format string, args ...any) {
	m.Notes = append(m.Notes, fmt.Sprintf(format, args...))
}

const shapeRemedy = "write the mapping that holds it in block style, one field a line"

// change takes the outcome of an edit of a field.
func (m *move) change(path string, e edit, err error) {
	switch {
	case errors.Is(err, errShape):
		m.refuse(path, errShape.Error(), shapeRemedy)
	case err != nil:
		m.refuse(path, err.Error(), "write it in another way")
	default:
		m.edits = append(m.edits, e)
	}
}

func (m *move) run() {
	if len(m.Obstacles) > 0 {
		return
	}
	if o, found := ambiguous(m.root, "", 0); found {
		m.Obstacles = append(m.Obstacles, o)
		return
	}
	if m.spec == nil || m.metadata == nil {
		m.refuse("spec", "the Application has no spec or no metadata", "complete it")
		return
	}
	if m.Kind == kindApplicationSet {
		m.set()
	}
	s, found := m.source()
	if !found {
		return
	}
	if m.options.Back {
		m.back(s)
	} else {
		m.forth(s)
	}
}

// set finds what else of an ApplicationSet makes up its Applications.
func (m *move) set() {
	spec := fieldOf(m.root, "spec")
	if _, found := find(spec, "templatePatch"); found {
		m.Obstacles = append(m.Obstacles, Obstacle{"spec.templatePatch", "what it makes of the source is not known", "convert the template and the patch by hand"})
	}
	if at := templateBelow(fieldOf(spec, "generators"), "spec.generators"); at != "" {
		m.Obstacles = append(m.Obstacles, Obstacle{at, "what it makes of the source is not known", "move it into spec.template, or convert both by hand"})
	}
}

// isTemplated tells whether an ApplicationSet fills a text in.
func (m *move) isTemplated(text string) bool {
	return m.Kind == kindApplicationSet && strings.Contains(text, "{{")
}

// templateBelow finds a template that a generator has of its own.
func templateBelow(node *yaml.Node, path string) string {
	if node == nil {
		return ""
	}
	for i, child := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if node.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			at = join(path, node.Content[i-1].Value)
			if node.Content[i-1].Value == "template" && child.Kind == yaml.MappingNode && len(child.Content) > 0 {
				return at
			}
		}
		if found := templateBelow(child, at); found != "" {
			return found
		}
	}
	return ""
}
