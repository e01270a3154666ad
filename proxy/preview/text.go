package preview

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/pmezard/go-difflib/difflib"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The stand-ins for what is hidden: as gitops-engine has it, one for a value
// that stays, and another for what it becomes.
const (
	hiddenValue  = "++++++++"
	hiddenChange = "++++++++++++"
)

// hidden takes the values out of Secrets, so that what is equal stays equal and
// what differs shows that it does.
func hidden(was, is *unstructured.Unstructured) (*unstructured.Unstructured, *unstructured.Unstructured, error) {
	if !secret(was) && !secret(is) {
		return was, is, nil
	}
	// What kubectl applied last holds the values once more.
	annotations := map[string]bool{corev1.LastAppliedConfigAnnotation: true}
	was, is, err := diff.HideSecretData(was, is, annotations)
	if err != nil {
		return nil, nil, fmt.Errorf("the values of a Secret cannot be hidden: %w", err)
	}
	blind(was, is)
	return was, is, nil
}

func secret(o *unstructured.Unstructured) bool {
	return o.GetKind() == "Secret" && o.GroupVersionKind().Group == ""
}

// blind hides in two Secrets what no Secret should have: whoever writes a value
// into the wrong place has no less of a secret.
func blind(was, is *unstructured.Unstructured) {
	for _, field := range append(keysOf(was.Object), keysOf(is.Object)...) {
		switch field {
		case "apiVersion", "kind", "metadata", "type", "immutable":
			continue
		case "data":
			if textual(was.Object[field]) && textual(is.Object[field]) {
				continue
			}
		}
		before, had := was.Object[field]
		after, has := is.Object[field]
		if before == any(hiddenValue) || after == any(hiddenValue) {
			continue // done already
		}
		replacement := hiddenValue
		if a, errA := json.Marshal(before); had && has {
			if b, errB := json.Marshal(after); errA != nil || errB != nil || string(a) != string(b) {
				replacement = hiddenChange
			}
		}
		if had {
			was.Object[field] = hiddenValue
		}
		if has {
			is.Object[field] = replacement
		}
	}
}

func keysOf(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// textual tells whether the data of a Secret have been hidden: each of its
// values is a stand-in.
func textual(data any) bool {
	if data == nil {
		return true
	}
	values, ok := data.(map[string]any)
	if !ok {
		return false
	}
	for _, v := range values {
		if s, ok := v.(string); !ok || strings.Trim(s, "+") != "" {
			return false
		}
	}
	return true
}

// unified returns the difference between two objects as lines of YAML, whole
// lines up to a bound.
func unified(was, is *unstructured.Unstructured, bound int) (text string, clipped bool, err error) {
	if bound <= 0 {
		return "", true, nil // what would not be shown is not looked for
	}
	before, err := yaml.Marshal(was.Object)
	if err != nil {
		return "", false, fmt.Errorf("%s %s cannot be written as YAML: %w", was.GetKind(), was.GetName(), err)
	}
	after, err := yaml.Marshal(is.Object)
	if err != nil {
		return "", false, fmt.Errorf("%s %s cannot be written as YAML: %w", is.GetKind(), is.GetName(), err)
	}
	if len(before) > maxText || len(after) > maxText {
		return "", true, nil
	}
	a, b := slices.Collect(strings.Lines(string(before))), slices.Collect(strings.Lines(string(after)))
	if len(a) > maxLines || len(b) > maxLines || cost(a, b) > maxCost {
		return "", true, nil
	}
	const context = 3
	text, err = difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: a, B: b,
		FromFile: "now", ToFile: "then", Context: context,
	})
	if err != nil {
		return "", false, fmt.Errorf("the difference of %s %s cannot be made: %w", is.GetKind(), is.GetName(), err)
	}
	if len(text) <= bound {
		return text, false, nil
	}
	return text[:strings.LastIndexByte(text[:bound], '\n')+1], true, nil
}

// cost returns how many steps difflib takes at most to compare lines. It looks
// for the longest equal block over all pairs of equal lines, and again on both
// sides of it, down to blocks of one line. Lines that stand for more than one in
// a hundred of many it leaves out (SequenceMatcher.chainB).
func cost(a, b []string) int {
	const many = 200
	in := map[string]int{}
	for _, line := range b {
		in[line]++
	}
	pairs := 0
	for _, line := range a {
		if n := in[line]; len(b) < many || n <= len(b)/100+1 {
			pairs += n
		}
	}
	return pairs * min(len(a), len(b))
}
