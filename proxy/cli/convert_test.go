package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Each folder of testdata/convert is a case:
//
//	app.yaml       what is converted
//	args           arguments, one a line; the files are named there, or app.yaml
//	repo/          the clone, where args name one
//	expected.yaml  what is printed, where anything moved
//	notes.txt      what is told beside it
//	error.txt      what is told where something cannot move
//	back.yaml      what --back makes of expected.yaml, where that is not app.yaml
func TestConvert(t *testing.T) {
	folders, err := os.ReadDir("testdata/convert")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 30 {
		t.Errorf("there are %d cases", len(folders))
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Chdir(filepath.Join("testdata", "convert", folder.Name()))
			args := strings.Split(strings.TrimSpace(optional(t, "args")), "\n")
			args = append([]string{"convert"}, strings.Fields(strings.Join(args, " "))...)
			if !strings.Contains(strings.Join(args, " "), ".yaml") {
				args = append(args, "app.yaml")
			}
			got := run(t, nil, args...)
			if got.code == ExitOK {
				inFile(t, "expected.yaml", got.out)
				inFile(t, "notes.txt", got.err)
				thereAndBack(t, args, got.out)
				return
			}
			if got.code != ExitError {
				t.Errorf("the exit code is %d", got.code)
			}
			inFile(t, "error.txt", got.err)
			if app := optional(t, "app.yaml"); got.out == app {
				got.out = ""
			}
			inFile(t, "expected.yaml", got.out)
		})
	}
}

// thereAndBack checks that --back gives the bytes of app.yaml, or what back.yaml
// holds, and in either case an Application that means the same to Argo CD.
func thereAndBack(t *testing.T, args []string, moved string) {
	t.Helper()
	app := optional(t, "app.yaml")
	if slices.Contains(args, "--back") || slices.Contains(args, "--diff") || strings.Contains(app, "name: waybill\n") {
		return
	}
	again := []string{"convert", "--back", "-"}
	for i, arg := range args {
		if arg == "--repo" || arg == "--source" {
			again = append(again, arg, args[i+1])
		}
	}
	back := runWith(t, t.Context(), nil, moved, again...)
	if back.code != ExitOK {
		t.Fatalf("it does not come back: %s", back.err)
	}
	if diff := cmp.Diff(meaning(t, app), meaning(t, back.out)); diff != "" {
		t.Errorf("it comes back as another Application (-before +after):\n%s", diff)
	}
	if back.out == app {
		back.out = ""
	}
	inFile(t, "back.yaml", back.out)
}

// meaning is what Argo CD makes of the Applications of a file.
func meaning(t *testing.T, text string) []any {
	t.Helper()
	var all []any
	reader := kubeyaml.NewYAMLReader(newReader(text))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var kind struct{ Kind string }
		if err := yaml.Unmarshal(document, &kind); err != nil {
			t.Fatal(err)
		}
		switch kind.Kind {
		case "Application":
			var a v1alpha1.Application
			if err := yaml.Unmarshal(document, &a); err != nil {
				t.Fatal(err)
			}
			a.Spec = normal(&a.Spec)
			// The one stays, the other goes.
			delete(a.Annotations, "argocd.argoproj.io/manifest-generate-paths")
			delete(a.Annotations, "waybill.dev/stage")
			all = append(all, plainJSON(t, a))
		case "ApplicationSet":
			var a v1alpha1.ApplicationSet
			if err := yaml.Unmarshal(document, &a); err != nil {
				t.Fatal(err)
			}
			a.Spec.Template.Spec = normal(&a.Spec.Template.Spec)
			delete(a.Spec.Template.Annotations, "waybill.dev/stage")
			all = append(all, plainJSON(t, a))
		default:
			all = append(all, string(document))
		}
	}
}

// normal is what Argo CD compares (argo-cd, util/argo, NormalizeSource), with
// lists in one order that are sets to it.
func normal(spec *v1alpha1.ApplicationSpec) v1alpha1.ApplicationSpec {
	sources := []*v1alpha1.ApplicationSource{spec.Source}
	for i := range spec.Sources {
		sources = append(sources, &spec.Sources[i])
	}
	for _, s := range sources {
		if s == nil {
			continue
		}
		if s.Kustomize.IsZero() {
			s.Kustomize = nil
		} else {
			for i, replica := range s.Kustomize.Replicas {
				s.Kustomize.Replicas[i].Count = intstr.Parse(replica.Count.String())
			}
		}
		if s.Helm.IsZero() {
			s.Helm = nil
		} else {
			slices.SortFunc(s.Helm.Parameters, func(a, b v1alpha1.HelmParameter) int { return strings.Compare(a.Name, b.Name) })
		}
		if d := s.Directory; d.IsZero() && (d == nil || d.Include == "" && d.Exclude == "") {
			s.Directory = nil
		}
	}
	return *spec
}

func plainJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

func newReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

func optional(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// inFile compares with a file, which is not there for nothing.
func inFile(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if got == "" {
			_ = os.Remove(name)
		} else if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(optional(t, name), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
