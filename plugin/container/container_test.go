package container

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

func TestTheMemoryLimitIsThatOfTheContainer(t *testing.T) {
	const v2, v1 = "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, test := range map[string]struct {
		files map[string]string
		limit int64
		known bool
	}{
		"version 2":                {map[string]string{v2: "536870912\n"}, 512 << 20, true},
		"version 2 without one":    {map[string]string{v2: "max\n"}, 0, true},
		"version 1":                {map[string]string{v1: "536870912\n"}, 512 << 20, true},
		"version 1 without one":    {map[string]string{v1: "9223372036854771712\n"}, 0, true},
		"both, as a hybrid system": {map[string]string{v2: "268435456\n", v1: "536870912\n"}, 256 << 20, true},
		"neither":                  {nil, 0, false},
		"nonsense":                 {map[string]string{v2: "-1\n"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range test.files {
				path := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if limit, known := Memory(root); limit != test.limit || known != test.known {
				t.Errorf("the limit is %d, known %t, want %d, %t", limit, known, test.limit, test.known)
			}
		})
	}
}

func TestRendersShareTheMemory(t *testing.T) {
	for _, tt := range []struct {
		memory  int64
		cpus    int
		renders int
		limit   int64 // MiB
	}{
		{0, 2, 2, 384},
		{0, 64, 12, 384},
		{1 << 30, 64, 12, 384},
		{512 << 20, 64, 6, 192},
		{512 << 20, 4, 4, 192},
		{128 << 20, 4, 1, 80},
		{16 << 20, 4, 1, 80},
		{4 << 30, 64, 51, 1536},
	} {
		if got := Renders(tt.memory, tt.cpus); got != tt.renders {
			t.Errorf("with %d MiB and %d CPUs, %d renders run at a time, want %d", tt.memory>>20, tt.cpus, got, tt.renders)
		}
		if got := RenderLimit(tt.memory) >> 20; got != tt.limit {
			t.Errorf("with %d MiB, one render may take %d MiB, want %d", tt.memory>>20, got, tt.limit)
		}
	}
}

// TestTheManifestsSetWhatIsAssumed guards the one number that stands in both.
func TestTheManifestsSetWhatIsAssumed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "argocd", "argocd-repo-server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Resources struct {
							Limits map[string]resource.Quantity
						}
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &deployment); err != nil {
		t.Fatal(err)
	}
	limit := deployment.Spec.Template.Spec.Containers[0].Resources.Limits["memory"]
	if limit.Value() != assumed {
		t.Errorf("the manifests set a memory limit of %s, and %d MiB are assumed where there is none", limit.String(), assumed>>20)
	}
	if 2*RenderLimit(assumed) > assumed-assumed/4 {
		t.Errorf("two renders may take %d MiB of %d", 2*RenderLimit(assumed)>>20, assumed>>20)
	}
}
