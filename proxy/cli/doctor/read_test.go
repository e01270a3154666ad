package doctor

import (
	"errors"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/waybill-cd/waybill/extension/finding"
)

func TestNothingButReadingIsAskedOfKubernetes(t *testing.T) {
	client := good(t).client()
	if _, err := Read(t.Context(), client, options()); err != nil {
		t.Fatal(err)
	}
	for _, action := range client.Actions() {
		if action.GetVerb() != "get" && action.GetVerb() != "list" {
			t.Errorf("%s %s", action.GetVerb(), action.GetResource().Resource)
		}
		if !slices.Contains([]string{"argocd", "waybill"}, action.GetNamespace()) {
			t.Errorf("%s %s of namespace %q", action.GetVerb(), action.GetResource().Resource, action.GetNamespace())
		}
		if !strings.Contains(Rights, action.GetResource().Resource) {
			t.Errorf("the rights do not name %s", action.GetResource().Resource)
		}
	}
}

func TestWhatMayNotBeReadIsAFindingAndTheRestIsLookedAt(t *testing.T) {
	for resource, what := range map[string]string{
		"secrets": "secrets argocd/waybill-gates", "applications": "applications in namespace argocd", "configmaps": "configmaps argocd/argocd-cm",
		"deployments": "deployments in namespace waybill", "pods": "pods in namespace argocd", "appprojects": "appprojects", "applicationsets": "applicationsets", "leases": "leases waybill/waybill-proxy",
	} {
		t.Run(resource, func(t *testing.T) {
			client := good(t).client()
			client.PrependReactor("*", resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "x", errors.New("no right"))
			})
			in, err := Read(t.Context(), client, options())
			if err != nil {
				t.Fatal(err)
			}
			all := Examine(in, nil)
			expect(t, all, CheckAccess, finding.Warning, "not looked at: "+what, "ask for the right")
			for _, f := range all {
				if f.Severity == finding.Error {
					t.Errorf("what was not read is told to be missing: %s: %s", f.Check, f.Fact)
				}
			}
		})
	}
}

func TestAKubernetesThatDoesNotAnswerIsAnErrorAtOnce(t *testing.T) {
	for name, cause := range map[string]error{
		"no answer":    errors.New("connection refused"),
		"unauthorized": apierrors.NewUnauthorized("who are you"),
	} {
		t.Run(name, func(t *testing.T) {
			client := good(t).client()
			client.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, cause })
			if _, err := Read(t.Context(), client, options()); !errors.Is(err, cause) {
				t.Errorf("the error is %v, want %v", err, cause)
			}
			if got := len(client.Actions()); got != 1 {
				t.Errorf("%d requests were made, want 1", got)
			}
		})
	}
}

func TestAnArgoCDWithoutApplicationSetsIsFine(t *testing.T) {
	client := good(t).client()
	client.PrependReactor("list", "applicationsets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(action.GetResource().GroupResource(), "")
	})
	in, err := Read(t.Context(), client, options())
	if err != nil || in.ApplicationSets.Err != nil {
		t.Errorf("%v, %v", err, in.ApplicationSets.Err)
	}
}

func TestAllPagesAreRead(t *testing.T) {
	client := good(t).client()
	const pages = 3
	asked := 0
	client.PrependReactor("list", "applications", func(clienttesting.Action) (bool, runtime.Object, error) {
		asked++
		list := &unstructured.UnstructuredList{Items: []unstructured.Unstructured{{Object: map[string]any{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
			"metadata": map[string]any{"name": "app", "namespace": "argocd", "annotations": map[string]any{annotationStage: "shop/dev"}},
		}}}}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "ApplicationList"})
		if asked < pages {
			list.SetContinue("more")
		}
		return true, list, nil
	})
	in, err := Read(t.Context(), client, options())
	if err != nil || len(in.Applications.Value) != pages || asked != pages {
		t.Errorf("%d Applications of %d pages, %v", len(in.Applications.Value), asked, err)
	}
}

func TestAListWithoutAnEndIsNotReadForEver(t *testing.T) {
	client := good(t).client()
	client.PrependReactor("list", "applications", func(clienttesting.Action) (bool, runtime.Object, error) {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "ApplicationList"})
		list.SetContinue("more")
		return true, list, nil
	})
	in, err := Read(t.Context(), client, options())
	if err != nil || in.Applications.Err == nil {
		t.Errorf("%v, %v", err, in.Applications.Err)
	}
}

func TestApplicationsAreReadWhereArgoCDReadsThem(t *testing.T) {
	for setting, want := range map[string][]string{
		"": {"argocd"}, "team-a, team-b": {"argocd", "team-a", "team-b"}, "team-*": {metav1.NamespaceAll}, "argocd": {"argocd"},
	} {
		t.Run(setting, func(t *testing.T) {
			w := good(t)
			w.set(t, params, setting, "data", keyNamespaces)
			client := w.client()
			if _, err := Read(t.Context(), client, options()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, action := range client.Actions() {
				if action.GetResource() == applicationsOf {
					got = append(got, action.GetNamespace())
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("Applications are read in %q, want %q", got, want)
			}
		})
	}
}

func TestAnObjectOfAnotherFormIsNotQuoted(t *testing.T) {
	w := good(t)
	w.set(t, "Secret waybill/waybill-gates", "no-base64-secret!", "data", "waybill")
	in := w.read(t)
	if in.GatesOfWaybill.Err == nil || strings.Contains(in.GatesOfWaybill.Err.Error(), "no-base64") {
		t.Errorf("%v", in.GatesOfWaybill.Err)
	}
}
