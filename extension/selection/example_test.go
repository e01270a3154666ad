package selection_test

import (
	"fmt"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

// The first tag is what the warehouse takes.
func ExampleRule_Select() {
	rule, err := selection.ForImage(pipeline.ImageSubscription{
		RepoURL:           "registry.example.com/shop",
		Constraint:        "^1.0.0",
		IgnoreTagsRegexes: []string{"-debug$"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Select([]string{"v1.9.0", "latest", "v1.10.0", "v1.11.0-debug", "v2.0.0"}))
	// Output: [v1.10.0 v1.9.0]
}
