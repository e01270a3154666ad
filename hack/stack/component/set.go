// Package component builds the programs that the stack runs, and those that
// tests compare with, from their Go modules, and keeps them in a cache by version.
package component

// Set is what is built from one of the modules under hack/components.
type Set struct {
	// Name is the folder of the module, and part of the cache's.
	Name string
	// LDFlags are added to the linker flags.
	LDFlags string
	Tools   []Tool
	Assets  []Asset
}

// Tool is one program.
type Tool struct {
	Name    string // of the binary
	Package string
}

// Asset is a folder of a module that the stack needs beside the programs. It is
// copied into the cache, without its Go files.
type Asset struct {
	Name   string // of the folder in the cache
	Module string
	Folder string // in the module, with slashes
}

const kubernetesVersion = "v1.34.4"

// Kubernetes is a control plane, with kubectl.
func Kubernetes() Set {
	const version = "k8s.io/component-base/version."
	return Set{
		Name: "kubernetes",
		LDFlags: "-X " + version + "gitVersion=" + kubernetesVersion +
			" -X " + version + "gitMajor=1 -X " + version + "gitMinor=34",
		Tools: []Tool{
			{"etcd", "go.etcd.io/etcd/server/v3"},
			{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
			{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
			{"kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"},
			{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
		},
	}
}

// ArgoCD is Argo CD's one program, with the manifests that it is installed by.
func ArgoCD() Set {
	const module = "github.com/argoproj/argo-cd/v2"
	return Set{
		Name:    "argocd",
		LDFlags: "-X " + module + "/common.version=2.14.21",
		Tools:   []Tool{{"argocd", module + "/cmd"}},
		Assets: []Asset{
			{"crds", module, "manifests/crds"},
			{"config", module, "manifests/base/config"},
		},
	}
}

// Kwok plays the kubelet, by the rules in its Stage files.
func Kwok() Set {
	const module = "sigs.k8s.io/kwok"
	return Set{
		Name:  "kwok",
		Tools: []Tool{{"kwok", module + "/cmd/kwok"}},
		Assets: []Asset{
			{"node-fast", module, "kustomize/stage/node/fast"},
			{"node-heartbeat", module, "kustomize/stage/node/heartbeat-with-lease"},
			{"pod-fast", module, "kustomize/stage/pod/fast"},
		},
	}
}

// Kustomize is what the plugin's renders of kustomizations are held against, of
// the version that the plugin links.
func Kustomize() Set {
	return Set{
		Name:  "kustomize",
		Tools: []Tool{{"kustomize", "sigs.k8s.io/kustomize/kustomize/v5"}},
	}
}

// Helm is what the plugin's renders of charts are held against, of the version
// that the plugin links.
func Helm() Set {
	return Set{
		Name:  "helm",
		Tools: []Tool{{"helm", "helm.sh/helm/v3/cmd/helm"}},
	}
}

// Native renders sources as Argo CD does without a plugin; see its main.go.
func Native() Set {
	return Set{
		Name:  "native",
		Tools: []Tool{{"native", "github.com/waybill-cd/waybill/hack/components/native"}},
	}
}
