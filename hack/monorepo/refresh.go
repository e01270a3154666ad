package monorepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/waybill-cd/waybill/hack/stack"
)

const (
	label   = "waybill.dev/monorepo"
	timeout = 15 * time.Minute
	// interval between two looks is small beside what is measured.
	interval = 200 * time.Millisecond
)

// Applications are those of one renderer, in Argo CD.
type Applications struct {
	client   dynamic.ResourceInterface
	renderer Renderer
	count    int
}

// Apply makes the Applications, and returns when each has been rendered once.
func (m *Monorepo) Apply(ctx context.Context, r Renderer) (*Applications, error) {
	client, err := dynamic.NewForConfig(m.stack.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("reaching the stack's API server: %w", err)
	}
	a := &Applications{
		client:   client.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}).Namespace(stack.ArgoCDNamespace),
		renderer: r,
		count:    m.size.Applications,
	}
	var manifests strings.Builder
	for i := range m.size.Applications {
		m.write(&manifests, i, r)
	}
	if err := m.stack.Apply(ctx, []byte(manifests.String())); err != nil {
		return nil, err
	}
	return a, a.await(ctx, func(app *v1alpha1.Application) bool { return app.Status.ReconciledAt != nil })
}

func (m *Monorepo) write(b *strings.Builder, i int, r Renderer) {
	app := service(i)
	fmt.Fprintf(b, "---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: %s\n  namespace: %s\n  labels: {%s: %s}\n",
		r.application(i), stack.ArgoCDNamespace, label, r.Name)
	if r.Paths {
		fmt.Fprintf(b, "  annotations: {%s: /%s}\n", v1alpha1.AnnotationKeyManifestGeneratePaths, folder(app))
	}
	plugin := ""
	if r.Plugin {
		plugin = ", plugin: {name: waybill}"
	}
	fmt.Fprintf(b, "spec:\n  project: default\n  source: {repoURL: %q, targetRevision: main, path: %s%s}\n"+
		"  destination: {server: https://kubernetes.default.svc, namespace: default}\n", m.url, path(app), plugin)
}

// Refresh has Argo CD render all the Applications anew, whatever it has cached,
// and returns how long that took.
func (a *Applications) Refresh(ctx context.Context) (time.Duration, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationKeyRefresh: string(v1alpha1.RefreshTypeHard),
	}}})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for i := range a.count {
		if _, err := a.client.Patch(ctx, a.renderer.application(i), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return 0, fmt.Errorf("refreshing Application %s: %w", a.renderer.application(i), err)
		}
	}
	err = a.await(ctx, func(app *v1alpha1.Application) bool { return app.Annotations[v1alpha1.AnnotationKeyRefresh] == "" })
	return time.Since(began), err
}

// await waits until something holds of each Application, of which none may be in
// trouble: what fails fast is no figure.
func (a *Applications) await(ctx context.Context, holds func(*v1alpha1.Application) bool) error {
	return wait.PollUntilContextTimeout(ctx, interval, timeout, true, func(ctx context.Context) (bool, error) {
		list, err := a.client.List(ctx, metav1.ListOptions{LabelSelector: label + "=" + a.renderer.Name})
		if err != nil {
			return false, err
		}
		if len(list.Items) != a.count {
			return false, nil
		}
		for i := range list.Items {
			app, err := typed(&list.Items[i])
			if err != nil {
				return false, err
			}
			if !holds(app) {
				return false, nil
			}
			for _, c := range app.Status.Conditions {
				if c.Type == v1alpha1.ApplicationConditionComparisonError {
					return false, errors.New(app.Name + ": " + c.Message)
				}
			}
		}
		return true, nil
	})
}

func typed(o *unstructured.Unstructured) (*v1alpha1.Application, error) {
	data, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var app v1alpha1.Application
	return &app, json.Unmarshal(data, &app)
}
