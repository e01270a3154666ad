package preview

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fixed are the fields of a kind that Kubernetes does not let change.
type fixed struct {
	group, kind string
	// fields that may not change, from the root: spec.selector.
	fields []string
	// but are fields below them that may.
	but []string
	// only says when they are fixed; nil for always.
	only func(was *unstructured.Unstructured) bool
}

// immutables is the one table of fields known to be immutable. Sources are those
// of Kubernetes 1.34: pkg/apis/<group>/validation unless another is named.
var immutables = []fixed{
	// pkg/registry/apps/{deployment,replicaset,daemonset}/strategy.go, ValidateUpdate
	{group: "apps", kind: "Deployment", fields: []string{"spec.selector"}},
	{group: "apps", kind: "ReplicaSet", fields: []string{"spec.selector"}},
	{group: "apps", kind: "DaemonSet", fields: []string{"spec.selector"}},
	// apps, ValidateStatefulSetUpdate: all but what it names
	{group: "apps", kind: "StatefulSet", fields: []string{"spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"}},
	// batch, ValidateJobSpecUpdate. Its exceptions are for suspended Jobs alone.
	{group: "batch", kind: "Job", fields: []string{
		"spec.selector", "spec.template", "spec.completionMode", "spec.podFailurePolicy",
		"spec.backoffLimitPerIndex", "spec.managedBy", "spec.successPolicy",
	}},
	// core, ValidateServiceUpdate and ValidateServiceClusterIPsRelatedFields
	{kind: "Service", fields: []string{"spec.clusterIP", "spec.clusterIPs"}, only: clusterIP},
	{kind: "Service", fields: []string{"spec.loadBalancerClass"}, only: func(was *unstructured.Unstructured) bool {
		return at(was, "spec.type") == "LoadBalancer"
	}},
	// core, ValidatePersistentVolumeClaimUpdate
	{kind: "PersistentVolumeClaim", fields: []string{"spec"}, but: []string{"spec.resources", "spec.volumeAttributesClassName"}},
	// core, ValidatePersistentVolumeUpdate
	{kind: "PersistentVolume", fields: []string{"spec.csi", "spec.nfs", "spec.hostPath", "spec.local", "spec.volumeMode"}},
	// core, ValidatePodUpdate: all but what it names
	{kind: "Pod", fields: []string{"spec"}, but: []string{
		"spec.containers", "spec.initContainers", "spec.activeDeadlineSeconds", "spec.tolerations", "spec.terminationGracePeriodSeconds", "spec.schedulingGates",
	}},
	// core, ValidateConfigMapUpdate and ValidateSecretUpdate
	{kind: "ConfigMap", fields: []string{"data", "binaryData", "immutable"}, only: sealed},
	{kind: "Secret", fields: []string{"data", "stringData", "immutable"}, only: sealed},
	{kind: "Secret", fields: []string{"type"}},
	// rbac, ValidateRoleBindingUpdate and ValidateClusterRoleBindingUpdate
	{group: "rbac.authorization.k8s.io", kind: "RoleBinding", fields: []string{"roleRef"}},
	{group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding", fields: []string{"roleRef"}},
	// storage, ValidateStorageClassUpdate
	{group: "storage.k8s.io", kind: "StorageClass", fields: []string{"provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"}},
	// scheduling, ValidatePriorityClassUpdate
	{group: "scheduling.k8s.io", kind: "PriorityClass", fields: []string{"value", "preemptionPolicy"}},
	// networking, ValidateIngressClassUpdate
	{group: "networking.k8s.io", kind: "IngressClass", fields: []string{"spec.controller"}},
	// staging/src/k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation,
	// ValidateCustomResourceDefinitionUpdate
	{group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", fields: []string{"spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"}},
}

// clusterIP: one that the cluster chose is not among the manifests, so that only
// a written one can be changed.
func clusterIP(was *unstructured.Unstructured) bool {
	return at(was, "spec.type") != "ExternalName" && at(was, "spec.clusterIP") != nil
}

func sealed(was *unstructured.Unstructured) bool { return at(was, "immutable") == true }

// immutable returns the fields that change and may not.
func immutable(was, is *unstructured.Unstructured) []string {
	kind := is.GroupVersionKind().GroupKind()
	var changed []string
	for _, f := range immutables {
		if (schema.GroupKind{Group: f.group, Kind: f.kind}) != kind || f.only != nil && !f.only(was) {
			continue
		}
		before, after := was.DeepCopy(), is.DeepCopy()
		for _, free := range f.but {
			unstructured.RemoveNestedField(before.Object, strings.Split(free, ".")...)
			unstructured.RemoveNestedField(after.Object, strings.Split(free, ".")...)
		}
		for _, field := range f.fields {
			if !equal(at(before, field), at(after, field)) {
				changed = append(changed, field)
			}
		}
	}
	slices.Sort(changed)
	return changed
}

func at(o *unstructured.Unstructured, field string) any {
	value, _, err := unstructured.NestedFieldNoCopy(o.Object, strings.Split(field, ".")...)
	if err != nil {
		return nil
	}
	return value
}

func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
