package doctor

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/finding"
)

// commandLine is a command of plugin.yaml.
type commandLine struct {
	Command []string `json:"command"`
	Args    []string `json:"args"`
}

func (c commandLine) words() []string { return slices.Concat(c.Command, c.Args) }

// pluginFile is plugin.yaml as argocd-cmp-server reads it
// (argo-cd, cmpserver/plugin/config.go).
type pluginFile struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version    string      `json:"version"`
		Init       commandLine `json:"init"`
		Generate   commandLine `json:"generate"`
		Discover   any         `json:"discover"`
		Parameters struct {
			Dynamic commandLine `json:"dynamic"`
		} `json:"parameters"`
		ProvideGitCreds bool `json:"provideGitCreds"`
	} `json:"spec"`
}

const restartRepoServer = "apply manifests/sidecar and restart argocd-repo-server"

// configuration looks at plugin.yaml. argocd-cmp-server has read it when it
// started, so that it may be newer than what runs.
func (s Sidecar) configuration() []finding.Finding {
	l := finding.For(CheckConfiguration)
	text, err := s.read(path.Join(configFolder, "plugin.yaml"))
	if err != nil {
		l.Fail("mount plugin.yaml of the ConfigMap waybill-plugin there, as manifests/argocd/argocd-repo-server.yaml does",
			"plugin.yaml, in %s, cannot be read: %v", configFolder, err)
		return l.All()
	}
	var file pluginFile
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		l.Fail(restartRepoServer, "plugin.yaml is no plugin's configuration: %v", err)
		return l.All()
	}
	if file.Kind != "ConfigManagementPlugin" {
		l.Fail(restartRepoServer, "plugin.yaml is of kind %q, not ConfigManagementPlugin", file.Kind)
	}
	if file.Metadata.Name != plugin {
		l.Fail(restartRepoServer, "plugin.yaml names the plugin %q, and Applications ask for %q", file.Metadata.Name, plugin)
	}
	if file.Spec.Version != "" {
		l.Fail("remove spec.version and restart argocd-repo-server",
			"plugin.yaml states the version %s, so that Applications would have to write plugin.name: %s-%s", file.Spec.Version, file.Metadata.Name, file.Spec.Version)
	}
	if file.Spec.Discover != nil {
		l.Warn("remove spec.discover: Applications name the plugin", "plugin.yaml discovers, so that Argo CD sends every repository here once more to find out")
	}
	if file.Spec.ProvideGitCreds {
		l.Warn("remove spec.provideGitCreds", "plugin.yaml asks for the repository's Git credentials, which the plugin does not need")
	}
	if words := file.Spec.Init.words(); len(words) > 0 {
		l.Warn("remove spec.init unless you know what it is for", "plugin.yaml runs %s before each render, which Waybill's does not", words[0])
	}
	s.runs(l, "generate", file.Spec.Generate, finding.Error)
	s.runs(l, "parameters", file.Spec.Parameters.Dynamic, finding.Warning)
	if len(l.All()) == 0 {
		l.OK("plugin.yaml names the plugin %s and runs this program", plugin)
	}
	return l.All()
}

// runs tells whether a command of plugin.yaml is this program with the argument
// that it should have.
func (s Sidecar) runs(l *finding.List, argument string, command commandLine, severity finding.Severity) {
	add := l.Fail
	if severity == finding.Warning {
		add = l.Warn
	}
	words := command.words()
	if len(words) == 0 {
		add(restartRepoServer, "plugin.yaml has no command for %s", argument)
		return
	}
	program, found := s.lookUp(words[0])
	switch {
	case !found:
		add("use Waybill's image, or put the program where the sidecar's PATH finds it", "the command for %s, %s, is not in the sidecar", argument, words[0])
	case !sameFile(program, s.Self):
		add("run waybill-plugin there, of this version alone", "the command for %s, %s, is another program than this one", argument, words[0])
	case len(words) != 2 || words[1] != argument:
		add(restartRepoServer, "the command for %s is %q, not %q", argument, strings.Join(words, " "), words[0]+" "+argument)
	}
}

// lookUp finds a program as the sidecar's PATH does.
func (s Sidecar) lookUp(name string) (string, bool) {
	if strings.Contains(name, "/") {
		return s.program(name)
	}
	for _, folder := range filepath.SplitList(s.Env["PATH"]) {
		if found, ok := s.program(filepath.Join(folder, name)); ok && folder != "" {
			return found, true
		}
	}
	return "", false
}

func (s Sidecar) program(name string) (string, bool) {
	const executable = 0o111
	info, err := os.Stat(s.at(name))
	return s.at(name), err == nil && info.Mode().IsRegular() && info.Mode().Perm()&executable != 0
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
