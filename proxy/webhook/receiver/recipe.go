package receiver

import (
	"embed"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Recipe is how a sender that Waybill does not know itself is received: what to
// set up there, and the expression for its payloads.
type Recipe struct {
	// Name is that of its file.
	Name string `json:"-"`
	// Sender is what it is for.
	Sender string `json:"sender"`
	// Proof is how the sender proves that a call is its own, one of the Proof
	// constants.
	Proof string `json:"proof"`
	// Setup tells people what to do at the sender.
	Setup string `json:"setup"`
	// Edit tells what of the expression is to be adapted, if anything.
	Edit       string `json:"edit,omitempty"`
	Expression string `json:"expression"`
}

// How a sender proves that a call is its own.
const (
	ProofSignature     = "signature"     // HMAC-SHA256 of the body, in a header
	ProofAuthorization = "authorization" // the secret, in the header Authorization
	ProofPath          = "path"          // the unguessable path
)

//go:embed recipes/*.yaml
var recipeFiles embed.FS

// Recipes returns all recipes, sorted by name.
func Recipes() ([]Recipe, error) {
	entries, err := recipeFiles.ReadDir("recipes")
	if err != nil {
		return nil, fmt.Errorf("the recipes cannot be read: %w", err)
	}
	recipes := make([]Recipe, len(entries))
	for i, entry := range entries {
		text, err := recipeFiles.ReadFile("recipes/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("the recipe %s cannot be read: %w", entry.Name(), err)
		}
		if err := yaml.UnmarshalStrict(text, &recipes[i]); err != nil {
			return nil, fmt.Errorf("the recipe %s cannot be read: %w", entry.Name(), err)
		}
		recipes[i].Name = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return recipes, nil
}
