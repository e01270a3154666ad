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

	"github.com/waybill-cd/waybill/proxy/cli/convert"
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
	all, err := meaningOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func meaningOf(text string) ([]any, error) {
	var all []any
	reader := kubeyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var kind struct{ Kind string }
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		var resource any
		switch kind.Kind {
		case "Application":
			a := &v1alpha1.Application{}
			if err := yaml.Unmarshal(document, a); err != nil {
				return nil, err
			}
			ofConversion(a.Annotations)
			normal(&a.Spec)
			resource = a
		case "ApplicationSet":
			a := &v1alpha1.ApplicationSet{}
			if err := yaml.Unmarshal(document, a); err != nil {
				return nil, err
			}
			ofConversion(a.Spec.Template.Annotations)
			normal(&a.Spec.Template.Spec)
			resource = a
		default:
			resource = string(document)
		}
		plain, err := plainJSON(resource)
		if err != nil {
			return nil, err
		}
		all = append(all, plain)
	}
}

// ofConversion leaves out the annotations of which one stays and the other goes.
func ofConversion(annotations map[string]string) {
	delete(annotations, "argocd.argoproj.io/manifest-generate-paths")
	delete(annotations, "waybill.dev/stage")
}

// normal is what Argo CD compares (argo-cd, util/argo, NormalizeSource), with
// lists in one order that are sets to it.
func normal(spec *v1alpha1.ApplicationSpec) {
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
}

func plainJSON(value any) (plain any, err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return plain, json.Unmarshal(text, &plain)
}

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

const twoApplications = "testdata/convert/several-documents/app.yaml" // of which one cannot move

func TestFilesAreWrittenOnlyIfAllCanMove(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	link := filepath.Join(dir, "link.yaml")
	movable := optional(t, "testdata/convert/kustomize-guestbook/app.yaml")
	stuck := optional(t, twoApplications)
	if err := errors.Join(os.WriteFile(good, []byte(movable), 0o640), os.WriteFile(bad, []byte(stuck), 0o600), os.Symlink("good.yaml", link)); err != nil {
		t.Fatal(err)
	}
	got := run(t, nil, "convert", "-i", "--stage", "shop/prod", link, bad)
	if got.code != ExitError || got.out != "" || !strings.HasSuffix(got.err, "1 of 4 Applications cannot move: nothing is written\n") {
		t.Errorf("with one that cannot: %+v", got)
	}
	if optional(t, good) != movable || optional(t, bad) != stuck {
		t.Error("a file is written")
	}
	got = run(t, nil, "convert", "-i", "--stage", "shop/prod", link)
	if got.code != ExitOK || got.out != "" {
		t.Errorf("all can: %+v", got)
	}
	if optional(t, good) != optional(t, "testdata/convert/kustomize-guestbook/expected.yaml") {
		t.Error("the file is not written")
	}
	if info, err := os.Stat(good); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v (%v)", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is replaced (%v)", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestAFileThatCannotBeWrittenLeavesAllAsTheyWere(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(first, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	moved := convert.Result{Text: []byte("new")}
	err := replaceAll([]converted{{name: first, text: []byte("old"), Result: moved}, {name: filepath.Join(dir, "gone", "b.yaml"), Result: moved}})
	if err == nil || !strings.HasSuffix(err.Error(), "b.yaml cannot be written, nothing is: no such file or directory") {
		t.Errorf("got %v", err)
	}
	if optional(t, first) != "old" {
		t.Error("the other file is written")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestFilesArePrintedAsOneStream(t *testing.T) {
	app := optional(t, "testdata/convert/no-newline-at-the-end/app.yaml")
	dir := t.TempDir()
	var names []string
	for _, name := range []string{"a.yaml", "b.yaml"} {
		names = append(names, filepath.Join(dir, name))
		if err := os.WriteFile(names[len(names)-1], []byte(app), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := run(t, nil, append([]string{"convert", "--stage", "shop/prod"}, names...)...)
	one := optional(t, "testdata/convert/no-newline-at-the-end/expected.yaml")
	if diff := cmp.Diff(one+"\n---\n"+one, got.out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFlagsThatContradictOneAnotherAreNotUnderstood(t *testing.T) {
	for args, want := range map[string]string{
		"--back --stage shop/prod a.yaml":  "--back takes neither --stage nor --unpinned-allow",
		"--back --unpinned-allow a.yaml":   "--back takes neither --stage nor --unpinned-allow",
		"-i --diff a.yaml":                 "either --in-place or --diff",
		"-i -":                             "--in-place needs files",
		"--source -1 a.yaml":               "--source counts from 1",
		"- -":                              "standard input can be read once",
		"":                                 "an argument is missing",
		"--no-such a.yaml":                 "unknown flag",
		"--stage shop/prod --source x a.y": "invalid argument",
	} {
		got := run(t, nil, append([]string{"convert"}, strings.Fields(args)...)...)
		if got.code != ExitUsage || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	for args, want := range map[string]string{
		"testdata/none.yaml":                           "testdata/none.yaml cannot be read: no such file or directory",
		"--repo testdata/none testdata/shop.yaml":      "--repo testdata/none: the clone cannot be opened: no such file or directory",
		"--repo testdata/shop.yaml " + twoApplications: "--repo testdata/shop.yaml: the clone cannot be opened: not a directory",
	} {
		got := run(t, nil, append([]string{"convert"}, strings.Fields(args)...)...)
		if got.code != ExitError || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
