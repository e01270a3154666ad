package command

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pod = `apiVersion: v1
kind: Pod
metadata: {name: shop}
spec: {containers: [{name: shop, image: registry.example.com/shop}]}
`

func TestTheSameFreightGivesTheSameBytes(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"plain":         {"pod.yaml": pod},
		"kustomization": {"kustomization.yaml": "resources: [pod.yaml]\nnamePrefix: eu-\nconfigMapGenerator: [{name: a, literals: [A=1, B=2]}]\n", "pod.yaml": pod},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			write(t, path, files)
			render := func(version, digit string) string {
				promote(t, path, strings.NewReplacer("v1.4.2", version, digestOfOnes, strings.Repeat(digit, 64)).Replace(shopFreight))
				stdout, stderr := runIn(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: "."}, "generate")
				if stderr != "" {
					t.Fatal(stderr)
				}
				return stdout
			}
			a, b, again := render("v1", "a"), render("v2", "b"), render("v1", "a")
			if diff := cmp.Diff(a, again); diff != "" {
				t.Errorf("promoting A, B and A does not give A again:\n%s", diff)
			}
			if a == b {
				t.Error("A and B render the same")
			}
		})
	}
}

// TestNothingButFilesAndParametersCounts sets what Argo CD passes besides.
func TestNothingButFilesAndParametersCounts(t *testing.T) {
	path := t.TempDir()
	write(t, path, map[string]string{"pod.yaml": pod})
	promote(t, path, shopFreight)
	env := map[string]string{envApplication: "shop-prod", envSourcePath: "."}
	want, _ := runIn(t, path, env, "generate")
	for name, value := range map[string]string{
		"ARGOCD_APP_NAMESPACE": "prod", "ARGOCD_APP_REVISION": strings.Repeat("a", 40), "KUBE_VERSION": "1.34.4", "KUBE_API_VERSIONS": "v1",
		"ARGOCD_ENV_OTHER": "x", "PARAM_STRICT": "true", envWaybill: "", envParameters: "null", "HOME": "/", "TZ": "Asia/Tokyo",
	} {
		env[name] = value
	}
	got, stderr := runIn(t, path, env, "generate")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", stderr, diff)
	}
}

func TestARefusalOfParametersNamesStageAndFreight(t *testing.T) {
	path := t.TempDir()
	write(t, path, map[string]string{"pod.yaml": pod})
	promote(t, path, shopFreight)
	_, stderr := runIn(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: ".", envParameters: "{"}, "generate")
	if want := "Application shop-prod (stage shop/prod, freight "; !strings.HasPrefix(stderr, want) {
		t.Errorf("refused with %q, want %q first", stderr, want)
	}
}

func TestDigestReadsFilesAndStandardInput(t *testing.T) {
	path := t.TempDir()
	other := strings.ReplaceAll(pod, "name: shop", "name: other")
	write(t, path, map[string]string{"a.yaml": pod, "b.yaml": other})
	a, b := filepath.Join(path, "a.yaml"), filepath.Join(path, "b.yaml")

	digest := func(stdin string, args ...string) (string, string) {
		var stdout, stderr bytes.Buffer
		Call{Args: append([]string{"digest"}, args...), Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr}.Run()
		return stdout.String(), stderr.String()
	}
	want, stderr := digest("", a, b)
	if !strings.HasPrefix(want, "sha256:") || stderr != "" {
		t.Fatalf("digest = %q, %q", want, stderr)
	}
	for name, got := range map[string]func() (string, string){
		"files in another order": func() (string, string) { return digest("", b, a) },
		"standard input":         func() (string, string) { return digest("# both\n---\n" + other + "---\n" + pod) },
	} {
		if got, stderr := got(); got != want {
			t.Errorf("%s: %q %s, want %q", name, got, stderr, want)
		}
	}
	for name, got := range map[string]func() (string, string){
		"nothing":        func() (string, string) { return digest("# nothing\n---\n") },
		"a missing file": func() (string, string) { return digest("", filepath.Join(path, "c.yaml")) },
		"no manifest":    func() (string, string) { return digest("text") },
	} {
		if stdout, stderr := got(); stdout != "" || !strings.HasPrefix(stderr, "waybill-plugin: ") {
			t.Errorf("%s: %q and %q on standard error", name, stdout, stderr)
		}
	}
}

// FuzzWaybill feeds files that stand where the waybill belongs, which whoever
// may push can write.
func FuzzWaybill(f *testing.F) {
	path := f.TempDir()
	promote(f, path, shopFreight)
	good, err := os.ReadFile(filepath.Join(path, "waybill-shop-prod.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(good), strings.Replace(string(good), "shop-prod", "shop-dev", 1), strings.Replace(string(good), "v1.4.2", "v1.4.3", 1),
		string(good) + "---\n" + string(good), "", "{}", "a: &a [*a]", "freight: [{images: [{repoURL: x}]}]", "\xff", "<<<<<<< HEAD",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := t.TempDir()
		write(t, path, map[string]string{"pod.yaml": pod, "waybill-shop-prod.yaml": string(data)})
		env := map[string]string{
			envApplication: "shop-prod", envSourcePath: ".",
			envParameters: `[{"name":"unpinned","string":"allow"}]`,
		}
		stdout, stderr := runIn(t, path, env, "generate")
		switch line, _, _ := strings.Cut(stderr, "\n"); {
		case stderr != "" && stdout != "":
			t.Errorf("a refused render writes manifests:\n%s", stdout)
		case stderr == "" && stdout == "":
			t.Error("the output is empty, which Argo CD takes for success")
		case len([]rune(line)) >= 200 || strings.Contains(stderr, path):
			t.Errorf("not a line to show: %s", stderr)
		}
	})
}

// FuzzParameters feeds parameters, which whoever may edit the Application writes,
// to plain manifests and to a kustomization.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "{}", "[null]", `[{"name":"strict","string":"true"}]`, `[{"name":"unpinned","string":"allow"}]`,
		`[{"name":"imagePaths","array":["Kafka.kafka.strimzi.io:spec.kafka.image","A:b"]}]`, `[{"name":"imagePaths","map":{}}]`,
		`[{"name":"strict","string":"true"},{"name":"strict","string":"true"}]`, `[{"name":"pins","map":{"a":"b"}}]`, `[{"name":"\u0000\n"}]`,
		`[{"name":"recurse","string":"true"},{"name":"include","string":"{*.yaml,[a-z]?}"},{"name":"exclude","string":"*a*a*"}]`,
		`[{"name":"namePrefix","string":"a-"},{"name":"nameSuffix","string":"-b"},{"name":"namespace","string":"c"}]`,
		`[{"name":"images","array":["registry.example.com/shop=a:b@c","*=*:*","$X:${ARGOCD_APP_NAME}"]},{"name":"replicas","map":{"shop":"-1"}}]`,
		`[{"name":"commonLabels","map":{"a":"b"}},{"name":"forceCommonLabels","string":"true"},{"name":"labelWithoutSelector","string":"true"},{"name":"labelIncludeTemplates","string":"true"}]`,
		`[{"name":"commonAnnotations","map":{"a":"$$b","c:d":"\"e\""}},{"name":"forceCommonAnnotations","string":"true"},{"name":"commonAnnotationsEnvsubst","string":"true"}]`,
		`[{"name":"components","array":["component","../*","http://example.com/a/b","[","/etc"]},{"name":"ignoreMissingComponents","string":"true"}]`,
		`[{"name":"patches","string":"- {path: http://example.com}\n- patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'\n  target: {kind: Pod}"}]`,
	} {
		f.Add(seed)
	}
	plain, kustomization := f.TempDir(), f.TempDir()
	write(f, plain, map[string]string{"pod.yaml": pod})
	write(f, kustomization, map[string]string{
		"kustomization.yaml":           "resources: [pod.yaml]\ncommonLabels: {a: b}\n",
		"pod.yaml":                     pod,
		"component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
	})
	image := regexp.MustCompile(`(?m)^ *(?:- )?image: registry\.example\.com/shop([:@].*)?$`)
	for _, path := range []string{plain, kustomization} {
		promote(f, path, shopFreight)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		f.Fatal(err)
	}
	os.Stderr = null // kustomize warns of what is deprecated
	f.Fuzz(func(t *testing.T, text string) {
		for _, path := range []string{plain, kustomization} {
			stdout, stderr := runIn(t, path, map[string]string{envApplication: "shop-prod", envSourcePath: ".", envParameters: text}, "generate")
			if line, _, _ := strings.Cut(stderr, "\n"); len([]rune(line)) >= 200 || strings.Contains(stderr, path) {
				t.Errorf("not a line to show: %s", stderr)
			}
			if path == plain && stderr == "" && !strings.Contains(stdout, "shop:v1.4.2@sha256:"+digestOfOnes) {
				t.Errorf("the parameters %q take the pin away:\n%s", text, stdout)
			}
			for _, found := range image.FindAllStringSubmatch(stdout, -1) {
				if found[1] != ":v1.4.2@sha256:"+digestOfOnes {
					t.Errorf("the parameters %q take the pin away:\n%s", text, stdout)
				}
			}
		}
	})
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
