package freight_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-cd/waybill/extension/freight"
)

func never(string) bool { return false }

// People write aliases down, in tickets and chats: what one was yesterday it is
// today.
func TestTheAliasOfFreightNeverChanges(t *testing.T) {
	for id, want := range map[string]string{
		freight.ID("waybill/shop", "shop", shop()): "tidy-moose",
		"": "stout-puma",
	} {
		for range 2 {
			if got := freight.Alias(id, never); got != want {
				t.Errorf("Alias(%q) = %s, want %s", id, got, want)
			}
		}
	}
}

func TestNoTwoPiecesOfFreightShareAnAlias(t *testing.T) {
	const many = 5000 // as many as a tenth of all, so that some do collide
	plain := regexp.MustCompile(`^[a-z]+-[a-z]+$`)
	taken := map[string]bool{}
	collided := 0
	for i := range many {
		id := fmt.Sprintf("%064x", i)
		alias := freight.Alias(id, func(alias string) bool { return taken[alias] })
		if taken[alias] {
			t.Fatalf("%s is given twice", alias)
		}
		if !plain.MatchString(alias) {
			t.Errorf("%s is not an adjective and an animal", alias)
		}
		if alias != freight.Alias(id, never) {
			collided++
		}
		taken[alias] = true
	}
	if collided == 0 {
		t.Error("no alias was taken: this tests nothing")
	}
}

func TestAnAliasIsFoundWhereAllWordsAreTaken(t *testing.T) {
	asked := 0
	alias := freight.Alias("7d3f", func(alias string) bool {
		asked++
		return strings.Count(alias, "-") == 1 || strings.HasSuffix(alias, "-2")
	})
	if !strings.HasSuffix(alias, "-3") || asked > 20 {
		t.Errorf("Alias = %s, after %d questions", alias, asked)
	}
}

func TestTheWordsOfAliasesAreEachOnce(t *testing.T) {
	text, err := os.ReadFile("alias.txt")
	if err != nil {
		t.Fatal(err)
	}
	lists := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	if len(lists) != 2 {
		t.Fatalf("alias.txt holds %d lists, want adjectives and animals", len(lists))
	}
	for _, list := range lists {
		words := strings.Fields(list)
		if len(words) < 100 {
			t.Errorf("there are %d words from %s on: too few for a pipeline's freight", len(words), words[0])
		}
		if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Errorf("the words from %s on are not sorted, each once", words[0])
		}
	}
}

func ExampleAlias() {
	fmt.Println(freight.Alias("7d3f0c1", func(string) bool { return false }))
	// Where other freight bears that name:
	fmt.Println(freight.Alias("7d3f0c1", func(alias string) bool { return alias == "brave-tuna" }))
	// Output:
	// brave-tuna
	// scarlet-walrus
}
