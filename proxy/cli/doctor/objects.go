package doctor

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// The objects as far as checks look at them. Kubernetes' and Argo CD's own types
// would make the command line three times as large, and slower to start.

// Meta is an object's metadata.
type Meta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	CreationTimestamp time.Time         `json:"creationTimestamp"`
	OwnerReferences   []Owner           `json:"ownerReferences"`
	ManagedFields     []ManagedFields   `json:"managedFields"`
}

// Key returns namespace/name.
func (m Meta) Key() string { return m.Namespace + "/" + m.Name }

// Owner is who made an object.
type Owner struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// ManagedFields tell who wrote which fields last, and when.
type ManagedFields struct {
	Time     *time.Time      `json:"time"`
	FieldsV1 json.RawMessage `json:"fieldsV1"`
}

// changed returns when one of the keys of a ConfigMap's or Secret's data was
// written last, at the latest: Kubernetes dates the writer, not the key. It is
// the zero time where that is not known.
func (m Meta) changed(keys ...string) time.Time {
	var last time.Time
	for _, f := range m.ManagedFields {
		var fields struct {
			Data map[string]json.RawMessage `json:"f:data"`
			// What a Secret's data was applied as.
			StringData map[string]json.RawMessage `json:"f:stringData"`
		}
		if f.Time == nil || json.Unmarshal(f.FieldsV1, &fields) != nil {
			continue
		}
		for _, key := range keys {
			_, wrote := fields.Data["f:"+key]
			_, applied := fields.StringData["f:"+key]
			if (wrote || applied) && f.Time.After(last) {
				last = *f.Time
			}
		}
	}
	return last
}

// ConfigMap is Kubernetes'.
type ConfigMap struct {
	Meta Meta              `json:"metadata"`
	Data map[string]string `json:"data"`
}

// GateSecret is the Secret with the gates' secrets, of which nothing is kept but
// what tells whether two are the same.
type GateSecret struct {
	Meta Meta
	// Hashes are those of the gates' secrets, by gate.
	Hashes map[string][32]byte
	// Problem is why the proxy would not take the secrets; empty for none.
	Problem string
}

// gates returns the names of the gates, sorted.
func (g GateSecret) gates() []string {
	names := make([]string, 0, len(g.Hashes))
	for name := range g.Hashes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Repository is a Secret in Argo CD's own format for Git credentials, without
// them.
type Repository struct {
	Meta Meta
	// Type is repository or repo-creds.
	Type string
	// Kind is git, the default, or helm.
	Kind string
	URL  string
	// Complete tells that it holds a user or a password.
	Complete bool
}

// Receiver is a Secret that is labelled as a webhook receiver, without its content.
type Receiver struct {
	Meta Meta
	// Problem is why the proxy refuses all calls to it; empty for none.
	Problem string
}

// EnvVar is a variable of a container.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Mount is a volume in a container.
type Mount struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
	SubPath   string `json:"subPath"`
}

// Security is the part of a securityContext that checks look at.
type Security struct {
	RunAsUser              *int64 `json:"runAsUser"`
	ReadOnlyRootFilesystem *bool  `json:"readOnlyRootFilesystem"`
}

// Container is one of a pod.
type Container struct {
	Name         string   `json:"name"`
	Image        string   `json:"image"`
	Command      []string `json:"command"`
	Args         []string `json:"args"`
	Env          []EnvVar `json:"env"`
	VolumeMounts []Mount  `json:"volumeMounts"`
	Security     Security `json:"securityContext"`
	Resources    struct {
		Limits map[string]any `json:"limits"`
	} `json:"resources"`
}

// mount returns the volume that is mounted at a path.
func (c Container) mount(path string) (Mount, bool) {
	i := slices.IndexFunc(c.VolumeMounts, func(m Mount) bool { return strings.TrimSuffix(m.MountPath, "/") == path })
	if i < 0 {
		return Mount{}, false
	}
	return c.VolumeMounts[i], true
}

// says tells whether a flag or a variable of the container switches something
// on, which goes before the ConfigMap.
func (c Container) says(flag, variable string) bool {
	for _, arg := range slices.Concat(c.Command, c.Args) {
		if arg == flag || arg == flag+"=true" {
			return true
		}
	}
	return slices.Contains(c.Env, EnvVar{variable, "true"})
}

// PodSpec is a pod's.
type PodSpec struct {
	Containers                   []Container `json:"containers"`
	InitContainers               []Container `json:"initContainers"`
	AutomountServiceAccountToken *bool       `json:"automountServiceAccountToken"`
	Security                     Security    `json:"securityContext"`
}

func (s PodSpec) container(name string) (Container, bool) {
	i := slices.IndexFunc(s.Containers, func(c Container) bool { return c.Name == name })
	if i < 0 {
		return Container{}, false
	}
	return s.Containers[i], true
}

// Deployment is Kubernetes'.
type Deployment struct {
	Meta Meta `json:"metadata"`
	Spec struct {
		Replicas *int `json:"replicas"`
		Template struct {
			Spec PodSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
	Status struct {
		ReadyReplicas int `json:"readyReplicas"`
	} `json:"status"`
}

func (d Deployment) replicas() int {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// labelName tells what an object is of, in Argo CD's manifests, its Helm chart
// and Waybill's.
const labelName = "app.kubernetes.io/name"

// deployment finds one by what it is of.
func deployment(all Part[[]Deployment], name string) (Deployment, bool) {
	if !all.ok() {
		return Deployment{}, false
	}
	i := slices.IndexFunc(all.Value, func(d Deployment) bool { return d.Meta.Labels[labelName] == name })
	if i < 0 {
		i = slices.IndexFunc(all.Value, func(d Deployment) bool { return d.Meta.Name == name })
	}
	if i < 0 {
		return Deployment{}, false
	}
	return all.Value[i], true
}

// terminated is how a container ended.
type terminated struct {
	Reason string `json:"reason"`
}

// ContainerStatus is the state of one container.
type ContainerStatus struct {
	Name         string `json:"name"`
	Ready        bool   `json:"ready"`
	RestartCount int    `json:"restartCount"`
	State        struct {
		Running *struct {
			StartedAt time.Time `json:"startedAt"`
		} `json:"running"`
		Waiting *struct {
			Reason string `json:"reason"`
		} `json:"waiting"`
	} `json:"state"`
	LastState struct {
		Terminated *terminated `json:"terminated"`
	} `json:"lastState"`
}

// Pod is Kubernetes'.
type Pod struct {
	Meta   Meta `json:"metadata"`
	Status struct {
		ContainerStatuses []ContainerStatus `json:"containerStatuses"`
	} `json:"status"`
}

// started returns when a container of the pod started; when the pod was made
// where that is not known.
func (p Pod) started(container string) time.Time {
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == container && s.State.Running != nil {
			return s.State.Running.StartedAt
		}
	}
	return p.Meta.CreationTimestamp
}

// older returns the pods of a thing whose container runs since before a change.
func older(pods Part[[]Pod], of, container string, change time.Time) []string {
	var names []string
	if !pods.ok() || change.IsZero() {
		return nil
	}
	for _, p := range pods.Value {
		if p.Meta.Labels[labelName] == of && p.started(container).Before(change) {
			names = append(names, p.Meta.Name)
		}
	}
	return names
}

// Lease is Kubernetes'.
type Lease struct {
	Meta Meta `json:"metadata"`
	Spec struct {
		HolderIdentity       string     `json:"holderIdentity"`
		LeaseDurationSeconds int        `json:"leaseDurationSeconds"`
		RenewTime            *time.Time `json:"renewTime"`
	} `json:"spec"`
}

// Project is Argo CD's AppProject.
type Project struct {
	Meta Meta `json:"metadata"`
	Spec struct {
		Roles []ProjectRole `json:"roles"`
	} `json:"spec"`
}

// ProjectRole is a role of an AppProject.
type ProjectRole struct {
	Name     string   `json:"name"`
	Policies []string `json:"policies"`
	Groups   []string `json:"groups"`
}
