package equality

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

// oneCase is a source as an Application has it without the plugin and with it.
type oneCase struct {
	Name string `json:"name"`
	// Path is the Application's, in testdata/checkout. Empty is the cases' own.
	Path string `json:"path,omitempty"`
	// Files are put over the checkout, Links too, with their targets.
	Files map[string]string `json:"files,omitempty"`
	Links map[string]string `json:"links,omitempty"`
	// Source is spec.source without the plugin, Parameters those of the plugin.
	Source     map[string]any `json:"source,omitempty"`
	Parameters []parameter    `json:"parameters,omitempty"`
	// Edits are the commands of `kustomize edit` that a later Argo CD runs before
	// it builds, in place of Source, for what this one does not know.
	Edits [][]string `json:"edits,omitempty"`
	// Refused is what the plugin says where Argo CD fails.
	Refused string `json:"refused,omitempty"`
}

func TestParametersMeanWhatTheyMeanToArgoCD(t *testing.T) {
	total := 0
	for file, path := range map[string]string{"kustomize.yaml": "overlays/prod", "directory.yaml": "plain"} {
		cases := readCases(t, file)
		total += len(cases)
		for _, c := range cases {
			if c.Path == "" {
				c.Path = path
			}
			t.Run(c.Name, func(t *testing.T) { compare(t, c) })
		}
	}
	if total < minCases {
		t.Errorf("there are %d cases, want %d", total, minCases)
	}
}

func readCases(t *testing.T, file string) []oneCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []oneCase
	if err := yaml.UnmarshalStrict(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// compare renders a case both ways, each in a checkout of its own, because Argo
// CD edits the kustomization in place.
func compare(t *testing.T, c oneCase) {
	native := renderNatively
	if c.Edits != nil {
		native = renderEdited
	}
	want, failure := native(t, checkout(t, c), c)
	root := checkout(t, c)
	before := listing(t, root)
	got, refusal := generate(t, root, c.Path, c.Parameters)
	if diff := cmp.Diff(before, listing(t, root)); diff != "" {
		t.Errorf("the plugin writes to the checkout:\n%s", diff)
	}
	switch {
	case c.Refused != "" && (failure == "" || !strings.Contains(refusal, c.Refused)):
		t.Errorf("Argo CD says %q, the plugin says %q, want %q", failure, refusal, c.Refused)
	case c.Refused == "" && failure+refusal != "":
		t.Errorf("Argo CD says %q, the plugin says %q", failure, refusal)
	}
	if diff := cmp.Diff(want, objects(t, got)); diff != "" {
		t.Errorf("-Argo CD +plugin:\n%s", diff)
	}
}

func checkout(t *testing.T, c oneCase) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join("testdata", "checkout"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range c.Files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range c.Links {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// listing returns all files with what they hold.
func listing(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// renderNatively returns what Argo CD's repo-server renders without a plugin, or
// why it does not.
func renderNatively(t *testing.T, root string, c oneCase) (manifests []manifest.Object, failure string) {
	t.Helper()
	source := map[string]any{"repoURL": repository, "targetRevision": branch, "path": c.Path}
	for field, value := range c.Source {
		source[field] = value
	}
	request, err := json.Marshal(map[string]any{
		"root": root, "application": application, "namespace": namespace, "revision": revision, "source": source,
	})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), programs.native)
	command.Env = append(os.Environ(), "PATH="+strings.Join([]string{filepath.Dir(programs.kustomize), filepath.Dir(programs.helm), os.Getenv("PATH")}, string(os.PathListSeparator)))
	command.Stdin, command.Stderr = bytes.NewReader(request), os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Manifests []json.RawMessage
		Error     string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	for _, text := range answer.Manifests {
		o, err := manifest.FromJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, o)
	}
	return manifests, answer.Error
}

// renderEdited edits the kustomization and builds it.
func renderEdited(t *testing.T, root string, c oneCase) (manifests []manifest.Object, failure string) {
	t.Helper()
	for _, args := range c.Edits {
		edit := exec.CommandContext(t.Context(), programs.kustomize, append([]string{"edit"}, args...)...)
		edit.Dir = filepath.Join(root, c.Path)
		if out, err := edit.CombinedOutput(); err != nil {
			return nil, string(out)
		}
	}
	out, err := exec.CommandContext(t.Context(), programs.kustomize, "build", filepath.Join(root, c.Path)).Output()
	if err != nil {
		return nil, err.Error()
	}
	return objects(t, string(out)), ""
}
