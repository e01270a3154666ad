package doctor

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

// goodPlugin is manifests/sidecar/plugin.yaml.
const goodPlugin = `
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: waybill}
spec:
  generate: {command: [waybill-plugin, generate]}
  parameters: {dynamic: {command: [waybill-plugin, parameters]}}
`

const (
	selfPath = "/usr/local/bin/waybill-plugin"
	good     = "Uid:\t999\t999\t999\t999\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	mounted  = "1 0 0:1 / / ro,relatime - overlay overlay rw\n2 1 0:2 / /tmp rw,relatime - ext4 /dev/x rw\n"
)

// sidecar lays out one that is as the manifests make it.
func sidecar(t *testing.T) Sidecar {
	t.Helper()
	// Not t.TempDir: the path of a socket may have 107 bytes.
	root, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	s := Sidecar{
		Env: map[string]string{"PATH": "/bin:/usr/local/bin"}, Version: "v1.2.3", Self: filepath.Join(root, selfPath), root: root,
	}
	for path, text := range map[string]string{
		configFolder + "/plugin.yaml":              goodPlugin,
		"/sys/fs/cgroup/memory.max":                "536870912\n",
		"/sys/fs/cgroup/cpu.max":                   "max 100000\n",
		"/sys/fs/cgroup/memory.events":             "low 0\noom 0\noom_kill 0\n",
		"/proc/self/status":                        good,
		"/proc/self/mountinfo":                     mounted,
		"/proc/self/limits":                        "Limit  Soft  Hard\nMax open files            1048576              1048576              files\nMax cpu time              unlimited            unlimited            seconds\n",
		selfPath:                                   "#!/bin/sh\necho other\n",
		filepath.Dir(selfPath) + "/" + ChartBinary: "#!/bin/sh\necho v1.2.3\n",
	} {
		put(t, s, path, text)
	}
	if err := os.MkdirAll(s.at(defaultTmp), 0o755); err != nil {
		t.Fatal(err)
	}
	serve(t, s, "waybill.sock")
	return s
}

func put(t *testing.T, s Sidecar, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.at(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.at(path), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, s Sidecar, path string) {
	t.Helper()
	if err := os.RemoveAll(s.at(path)); err != nil {
		t.Fatal(err)
	}
}

// serve listens at a socket until the test ends.
func serve(t *testing.T, s Sidecar, name string) {
	t.Helper()
	path := s.at(filepath.Join(defaultSockets, name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

func TestOfAGoodSidecarThereIsNothingToMend(t *testing.T) {
	checks := map[string]bool{}
	for _, f := range Examine(t.Context(), sidecar(t)) {
		checks[f.Check] = true
		if f.Severity != finding.OK || f.Remedy != "" {
			t.Errorf("%+v", f)
		}
	}
	for _, check := range []string{CheckSocket, CheckConfiguration, CheckChart, CheckWork, CheckLimits, CheckProcess} {
		if !checks[check] {
			t.Errorf("nothing is told of: %s", check)
		}
	}
}

func TestEachFaultOfASidecarIsToldWithItsRemedy(t *testing.T) {
	tests := map[string]struct {
		spoil    func(*testing.T, *Sidecar)
		check    string
		severity finding.Severity
		fact     string
		remedy   string
	}{
		"no socket": {
			func(t *testing.T, s *Sidecar) { remove(t, *s, defaultSockets+"/waybill.sock") },
			CheckSocket, finding.Error, "there is no socket waybill.sock", "kubectl logs",
		},
		"no folder of sockets": {
			func(t *testing.T, s *Sidecar) { remove(t, *s, defaultSockets) },
			CheckSocket, finding.Error, "cannot be listed", "mount the volume plugins",
		},
		"a socket that nobody serves": {
			func(t *testing.T, s *Sidecar) {
				remove(t, *s, defaultSockets+"/waybill.sock")
				listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.at(defaultSockets + "/waybill.sock")})
				if err != nil {
					t.Fatal(err)
				}
				listener.SetUnlinkOnClose(false)
				listener.Close()
			},
			CheckSocket, finding.Error, "nobody answers at the socket waybill.sock: connection refused", "restart the pod",
		},
		"a socket with a version": {
			func(t *testing.T, s *Sidecar) { serve(t, *s, "waybill-v1.sock") },
			CheckSocket, finding.Warning, "plugin.name: waybill-v1", "spec.version",
		},
		"another plugin": {
			func(t *testing.T, s *Sidecar) { serve(t, *s, "cdk8s.sock") },
			CheckSocket, finding.OK, "other plugins beside it: cdk8s", "",
		},
		"what is no plugin's socket": {
			func(t *testing.T, s *Sidecar) { serve(t, *s, "askpass") },
			CheckSocket, finding.Warning, "there is askpass", "remove it",
		},
		"no plugin.yaml": {
			func(t *testing.T, s *Sidecar) { remove(t, *s, configFolder) },
			CheckConfiguration, finding.Error, "cannot be read: no such file", "mount plugin.yaml",
		},
		"a plugin.yaml that is not YAML": {
			func(t *testing.T, s *Sidecar) { put(t, *s, configFolder+"/plugin.yaml", "\t{") },
			CheckConfiguration, finding.Error, "is no plugin's configuration", "restart argocd-repo-server",
		},
		"another name":  {configured("name: waybill", "name: shop"), CheckConfiguration, finding.Error, `names the plugin "shop"`, "restart"},
		"a version":     {configured("spec:", "spec:\n  version: v1"), CheckConfiguration, finding.Error, "plugin.name: waybill-v1", "remove spec.version"},
		"discovery":     {configured("spec:", "spec:\n  discover: {fileName: x}"), CheckConfiguration, finding.Warning, "sends every repository", "remove spec.discover"},
		"credentials":   {configured("spec:", "spec:\n  provideGitCreds: true"), CheckConfiguration, finding.Warning, "Git credentials", "remove spec.provideGitCreds"},
		"init":          {configured("spec:", "spec:\n  init: {command: [sh]}"), CheckConfiguration, finding.Warning, "runs sh before each render", "remove spec.init"},
		"no program":    {configured("[waybill-plugin, generate]", "[waybil, generate]"), CheckConfiguration, finding.Error, "generate, waybil, is not in the sidecar", "PATH"},
		"no generate":   {configured("[waybill-plugin, generate]", "[]"), CheckConfiguration, finding.Error, "no command for generate", "apply"},
		"no parameters": {configured("[waybill-plugin, parameters]", "[]"), CheckConfiguration, finding.Warning, "no command for parameters", "apply"},
		"another argument": {
			configured("[waybill-plugin, generate]", "[waybill-plugin, help]"),
			CheckConfiguration, finding.Error, `"waybill-plugin help", not "waybill-plugin generate"`, "apply",
		},
		"another program": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/bin/waybill-plugin", "#!/bin/sh\n") },
			CheckConfiguration, finding.Error, "another program", "this version alone",
		},
		"no chart binary": {
			func(t *testing.T, s *Sidecar) { remove(t, *s, "/usr/local/bin/"+ChartBinary) },
			CheckChart, finding.Error, "there is no waybill-plugin-chart", "image",
		},
		"a chart binary of another version": {
			func(_ *testing.T, s *Sidecar) { s.Version = "v2" },
			CheckChart, finding.Error, `the version "v1.2.3", and this program "v2"`, "one image",
		},
		"a chart binary that does not run": {
			func(t *testing.T, s *Sidecar) {
				put(t, *s, "/usr/local/bin/"+ChartBinary, "#!/bin/sh\nexit 3\n")
			},
			CheckChart, finding.Error, "does not run: exit status 3", "image",
		},
		"no work folder": {
			func(t *testing.T, s *Sidecar) { remove(t, *s, defaultTmp) },
			CheckWork, finding.Error, "nothing can be written to /tmp", "emptyDir",
		},
		"the repo-server's work folder": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/tmp/_argocd-repo/x", "") },
			CheckWork, finding.Error, "is the repo-server's own", "emptyDir",
		},
		"a work folder that is no volume": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/proc/self/mountinfo", "1 0 0:1 / / ro - x x ro\n") },
			CheckWork, finding.Warning, "is no volume", "emptyDir",
		},
		"no memory limit": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/sys/fs/cgroup/memory.max", "max\n") },
			CheckLimits, finding.Warning, "there is no memory limit, and renders may take the repo-server's memory: ", "resources.limits.memory",
		},
		"no memory limit, in version 1 of cgroups": {
			func(t *testing.T, s *Sidecar) {
				remove(t, *s, "/sys/fs/cgroup/memory.max")
				put(t, *s, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
			},
			CheckLimits, finding.Warning, "there is no memory limit, and renders may take the repo-server's memory: ", "resources.limits.memory",
		},
		"a memory limit": {
			func(*testing.T, *Sidecar) {}, CheckLimits, finding.OK, "at a time, and one may take 192 MiB", "",
		},
		"a low memory limit": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/sys/fs/cgroup/memory.max", "134217728\n") },
			CheckLimits, finding.Warning, "the memory limit is 128 MiB: 1 render runs at a time, and one may take 80 MiB", "1Gi",
		},
		"renders that were killed": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/sys/fs/cgroup/memory.events", "oom_kill 2\n") },
			CheckLimits, finding.Warning, "2 processes were killed", "raise",
		},
		"a Go limit that is none": {
			func(_ *testing.T, s *Sidecar) { s.Env["GOMEMLIMIT"] = "1GiB" },
			CheckLimits, finding.Warning, "GOMEMLIMIT is 1GiB, not below the container's limit of 512 MiB", "unset",
		},
		"a low CPU limit": {
			func(t *testing.T, s *Sidecar) { put(t, *s, "/sys/fs/cgroup/cpu.max", "20000 100000\n") },
			CheckLimits, finding.Warning, "20% of one CPU", "remove resources.limits.cpu",
		},
		"a CPU limit, in version 1 of cgroups": {
			func(t *testing.T, s *Sidecar) {
				remove(t, *s, "/sys/fs/cgroup/cpu.max")
				put(t, *s, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n")
				put(t, *s, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
			},
			CheckLimits, finding.OK, "the CPU limit is 1.5", "",
		},
		"few open files": {
			func(t *testing.T, s *Sidecar) {
				put(t, *s, "/proc/self/limits", "Max open files            256              256              files\n")
			},
			CheckLimits, finding.Warning, `"max open files" is 256`, "raise",
		},
		"another user": {
			func(t *testing.T, s *Sidecar) {
				put(t, *s, "/proc/self/status", strings.ReplaceAll(good, "999", "1000"))
			},
			CheckProcess, finding.Error, "user 1000, not 999", "runAsUser: 999",
		},
		"privileges": {
			func(t *testing.T, s *Sidecar) {
				put(t, *s, "/proc/self/status", "Uid:\t999\t999\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t0\n")
			},
			CheckProcess, finding.Warning, "capabilities (drop: [ALL]), the right to gain more", "securityContext",
		},
		"a root file system that can be written to": {
			func(t *testing.T, s *Sidecar) {
				put(t, *s, "/proc/self/mountinfo", strings.Replace(mounted, "/ / ro,", "/ / rw,", 1))
			},
			CheckProcess, finding.Warning, "root file system can be written to", "readOnlyRootFilesystem",
		},
		"a token": {
			func(t *testing.T, s *Sidecar) { put(t, *s, tokenFile, "secret-token") },
			CheckProcess, finding.Error, "token is mounted", "automountServiceAccountToken",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := sidecar(t)
			test.spoil(t, &s)
			for _, f := range Examine(t.Context(), s) {
				if strings.Contains(f.Fact+f.Remedy, "secret-token") {
					t.Errorf("a secret is told: %+v", f)
				}
				if f.Check == test.check && f.Severity == test.severity && strings.Contains(f.Fact, test.fact) {
					if !strings.Contains(f.Remedy, test.remedy) || (f.Remedy == "") != (test.remedy == "") {
						t.Errorf("the remedy is %q, want one with %q", f.Remedy, test.remedy)
					}
					return
				}
			}
			t.Errorf("there is no finding %s %s with %q: %+v", test.severity, test.check, test.fact, Examine(t.Context(), s))
		})
	}
}

// configured changes plugin.yaml.
func configured(from, to string) func(*testing.T, *Sidecar) {
	return func(t *testing.T, s *Sidecar) {
		put(t, *s, configFolder+"/plugin.yaml", strings.Replace(goodPlugin, from, to, 1))
	}
}

func TestOutsideOfASidecarOneWarningSaysSo(t *testing.T) {
	all := Examine(t.Context(), Sidecar{root: t.TempDir()})
	if len(all) != 1 || all[0].Severity != finding.Warning || !strings.Contains(all[0].Remedy, "kubectl exec") {
		t.Errorf("%+v", all)
	}
}

func TestNothingThatIsReadIsUnbounded(t *testing.T) {
	s := sidecar(t)
	put(t, s, configFolder+"/plugin.yaml", strings.Repeat("#", maxFile+1))
	put(t, s, "/usr/local/bin/"+ChartBinary, "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\n")
	var facts string
	for _, f := range Examine(t.Context(), s) {
		facts += f.Fact + "\n"
	}
	if !strings.Contains(facts, "larger than 1 MiB") || !strings.Contains(facts, strings.Repeat("x", maxVersion)+`"`) {
		t.Errorf("%s", facts)
	}
}
