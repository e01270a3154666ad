package doctor

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/finding"
	manifest "github.com/waybill-cd/waybill/manifests/sidecar"
)

const (
	// sidecarName is the container's, and pluginMap the ConfigMap's.
	sidecarName = "waybill"
	pluginMap   = "waybill-plugin"
	pluginKey   = "plugin.yaml"

	// argocdUser is the user of all of Argo CD's containers.
	argocdUser = 999
	// minMemory is what the sidecar should have, in bytes.
	minMemory = 256 << 20

	binaries   = "/var/run/argocd"
	cmpServer  = binaries + "/argocd-cmp-server"
	sockets    = "/home/argocd/cmp-server/plugins"
	pluginFile = "/home/argocd/cmp-server/config/plugin.yaml"

	// unreleased is the tag that stands for an image that is still to be built.
	unreleased = "unreleased"
)

// sidecar looks at the Deployment of the repo-server, in which the plugin runs.
func sidecar(in Installation) []finding.Finding {
	l := finding.For(CheckSidecar)
	pluginConfig(l, in)
	if in.Deployments.Err != nil {
		return l.All()
	}
	d, found := deployment(in.Deployments, repoServerName)
	if !found {
		l.Warn("name Argo CD's namespace with --argocd-namespace, or look at the sidecar with waybill-plugin doctor", "there is no Deployment %s in namespace %s", repoServerName, in.ArgoCDNamespace)
		return l.All()
	}
	spec := d.Spec.Template.Spec
	c, found := spec.container(sidecarName)
	if !found {
		l.Fail(patchRepoServer(in), "Deployment %s has no container %s, so that no Application finds the plugin", d.Meta.Key(), sidecarName)
		return l.All()
	}
	before := len(l.All())
	container(l, in, spec, c)
	mounts(l, in, spec, c)
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		l.Warn("set automountServiceAccountToken: false in the pod, as Argo CD's own manifests do", "the pods of %s mount a ServiceAccount's token, which the plugin does not need", d.Meta.Key())
	}
	if len(l.All()) == before {
		l.OK("the container %s of %s is as the manifests make it: %s", sidecarName, d.Meta.Key(), c.Image)
	}
	sidecarPods(l, in, d)
	return l.All()
}

// pluginConfig compares plugin.yaml with this version's.
func pluginConfig(l *finding.List, in Installation) {
	apply := "kubectl apply -n " + in.ArgoCDNamespace + " -k manifests/sidecar && " + restart(in, repoServerName)
	switch {
	case in.Plugin.Err != nil:
		return
	case in.Plugin.Missing:
		l.Fail(apply, "there is no ConfigMap %s/%s, which the sidecar mounts", in.ArgoCDNamespace, pluginMap)
		return
	}
	var have, want any
	if yaml.Unmarshal([]byte(in.Plugin.Value.Data[pluginKey]), &have) != nil || yaml.Unmarshal([]byte(manifest.Plugin), &want) != nil || !reflect.DeepEqual(have, want) {
		l.Warn(apply, "%s of ConfigMap %s is not the one of this version", pluginKey, pluginMap)
		return
	}
	l.OK("%s of ConfigMap %s is the one of this version", pluginKey, pluginMap)
	change := in.Plugin.Value.Meta.changed(pluginKey)
	if old := older(in.Pods, repoServerName, sidecarName, change); len(old) > 0 {
		l.Warn(restart(in, repoServerName), "ConfigMap %s was changed %s, and the sidecar runs since before: %s", pluginMap, in.ago(change), finding.Names(old))
	}
}

func container(l *finding.List, in Installation, spec PodSpec, c Container) {
	if tagOf(c.Image) == unreleased {
		l.Fail("put the image that make images prints in its place", "the image of the sidecar, %s, stands for one that is still to be built", c.Image)
	}
	if len(c.Command) != 1 || c.Command[0] != cmpServer {
		l.Fail(patchRepoServer(in), "the sidecar's command is %q, not %s", strings.Join(c.Command, " "), cmpServer)
	}
	user := c.Security.RunAsUser
	if user == nil {
		user = spec.Security.RunAsUser
	}
	if user == nil || *user != argocdUser {
		runs := "as its image says"
		if user != nil {
			runs = fmt.Sprintf("as user %d", *user)
		}
		l.Fail("set securityContext.runAsUser: 999 of the container", "the sidecar runs %s, not as user %d, with whom its socket is shared", runs, argocdUser)
	}
	if c.Security.ReadOnlyRootFilesystem == nil || !*c.Security.ReadOnlyRootFilesystem {
		l.Warn("set securityContext.readOnlyRootFilesystem: true of the container", "the sidecar's root file system can be written to, by what reads everybody's commits")
	}
	text, limited := c.Resources.Limits["memory"]
	limit, err := resource.ParseQuantity(fmt.Sprint(text))
	switch {
	case !limited:
		l.Warn("set resources.limits.memory: 1Gi, as the manifests do", "the sidecar has no memory limit: renders of many Applications at once may take the node's memory")
	case err == nil && limit.Value() < minMemory:
		l.Warn("set resources.limits.memory: 1Gi, as the manifests do; each render takes 15 to 60 MiB", "the sidecar's memory limit is %v", text)
	}
	if cpu, has := c.Resources.Limits["cpu"]; has {
		if q, err := resource.ParseQuantity(fmt.Sprint(cpu)); err == nil && q.MilliValue() < 1000 {
			l.Warn("remove resources.limits.cpu, or set it to 1 at least", "the sidecar's CPU limit is %v, which slows each render", cpu)
		}
	}
}

// mounts looks at the volumes that the sidecar shares with the repo-server, and
// at those that it must not share.
func mounts(l *finding.List, in Installation, spec PodSpec, c Container) {
	main := Container{}
	for _, other := range spec.Containers {
		if other.Name == repoServerName || other.Name == repoChart {
			main = other
		}
	}
	if own, ok := c.mount(binaries); !ok {
		l.Fail(patchRepoServer(in), "the sidecar does not mount %s, where argocd-cmp-server is", binaries)
	} else if !copies(spec, own.Name) {
		l.Fail("take the init container copyutil from Argo CD's own manifests", "no init container copies argocd-cmp-server into the volume %s", own.Name)
	}
	own, ok := c.mount(sockets)
	theirs, has := main.mount(sockets)
	if !ok || has && own.Name != theirs.Name {
		l.Fail(patchRepoServer(in), "the sidecar does not share %s with the repo-server, where its socket has to be", sockets)
	}
	_, file := c.mount(pluginFile)
	if _, folder := c.mount(path.Dir(pluginFile)); !file && !folder {
		l.Fail(patchRepoServer(in), "the sidecar does not mount plugin.yaml at %s", pluginFile)
	}
	tmp, ok := c.mount("/tmp")
	switch theirs, has := main.mount("/tmp"); {
	case !ok:
		l.Fail(patchRepoServer(in), "the sidecar mounts no /tmp, where Argo CD unpacks checkouts")
	case has && theirs.Name == tmp.Name:
		l.Fail("give it an emptyDir of its own, as the manifests do", "the sidecar shares /tmp with the repo-server, which keeps checkouts and credentials of every project there")
	}
}

// copies tells whether an init container fills a volume.
func copies(spec PodSpec, volume string) bool {
	return slices.ContainsFunc(spec.InitContainers, func(c Container) bool {
		mount, ok := c.mount(binaries)
		return ok && mount.Name == volume
	})
}

// sidecarPods looks at how the sidecar does in each pod.
func sidecarPods(l *finding.List, in Installation, d Deployment) {
	if d.Status.ReadyReplicas < d.replicas() {
		l.Warn("kubectl describe -n "+d.Meta.Namespace+" pod -l "+labelName+"="+repoServerName, "%d of %d pods of %s are ready", d.Status.ReadyReplicas, d.replicas(), d.Meta.Key())
	}
	for _, p := range in.Pods.Value {
		if p.Meta.Labels[labelName] != repoServerName {
			continue
		}
		for _, s := range p.Status.ContainerStatuses {
			if s.Name != sidecarName {
				continue
			}
			if s.State.Waiting != nil {
				l.Fail("kubectl logs -n "+p.Meta.Namespace+" "+p.Meta.Name+" -c "+sidecarName, "the sidecar of pod %s does not run: %s", p.Meta.Name, s.State.Waiting.Reason)
			}
			if s.LastState.Terminated != nil && s.LastState.Terminated.Reason == "OOMKilled" {
				l.Warn("raise resources.limits.memory of the container "+sidecarName, "the sidecar of pod %s was killed at its memory limit, and started %d times anew", p.Meta.Name, s.RestartCount)
			}
		}
	}
}
