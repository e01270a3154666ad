package pipeline

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/waybill-cd/waybill/extension/freight"
)

var update = flag.Bool("update", false, "write pipeline.schema.json as the types have it")

// namePattern is what checkName wants.
const namePattern = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`

const module = "github.com/waybill-cd/waybill/extension/"

// TestTheSchemaIsTheTypes makes the schema of the types, their comments, and the
// lists and bounds by which documents are checked.
func TestTheSchemaIsTheTypes(t *testing.T) {
	got, err := json.MarshalIndent(reflected(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("pipeline.schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(got), Schema); diff != "" {
		t.Errorf("pipeline.schema.json is not what the types give, run this test with -update (-want +got):\n%s", diff)
	}
}

func TestTheSchemaDescribesEveryField(t *testing.T) {
	for name, definition := range reflected(t).Definitions {
		for property := definition.Properties.Oldest(); property != nil; property = property.Next() {
			if property.Value.Description == "" {
				t.Errorf("%s.%s has no description: write a comment", name, property.Key)
			}
		}
	}
}

func reflected(t *testing.T) *jsonschema.Schema {
	t.Helper()
	reflector := jsonschema.Reflector{Anonymous: true, Mapper: mapped}
	for _, folder := range []string{"pipeline", "freight"} {
		if err := reflector.AddGoComments(module+folder, "../"+folder, jsonschema.WithFullComment()); err != nil {
			t.Fatal(err)
		}
	}
	reflector.CommentMap = described(reflector.CommentMap)
	schema := reflector.Reflect(Document{})
	schema.Title = "A pipeline of Waybill"
	bound(schema.Definitions)
	return schema
}

// mapped gives what is read otherwise than its type.
func mapped(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$|^0$`, Examples: []any{"30s", "10m", "24h"}}
	case reflect.TypeFor[Timestamp]():
		return &jsonschema.Schema{Type: "string", Format: "date-time", Examples: []any{"2026-01-31T00:00:00Z"}}
	case reflect.TypeFor[Origin]():
		object := (&jsonschema.Reflector{Anonymous: true, DoNotReference: true}).Reflect(struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		}{})
		object.Version = ""
		value(object, "kind").Enum = []any{KindWarehouse}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, object}}
	default:
		return nil
	}
}

// described writes comments for users: on one line, fields as they are written.
func described(comments map[string]string) map[string]string {
	fields := map[string]string{}
	for _, of := range []any{Document{}, Gates{}, Warehouse{}, Subscription{}, ImageSubscription{}, GitSubscription{}, ChartSubscription{}, FreightCreationCriteria{}, Stage{}, RequestedFreight{}, Sources{}, Approval{}, freight.Mirror{}} {
		t := reflect.TypeOf(of)
		for i, name := range fieldNames(t) {
			fields[t.PkgPath()+"."+t.Name()+"."+t.Field(i).Name] = name
		}
	}
	first := regexp.MustCompile(`^\w+`)
	for key, comment := range comments {
		comment = strings.Join(strings.Fields(comment), " ")
		if name, known := fields[key]; known {
			comment = first.ReplaceAllString(comment, name)
		}
		comments[key] = comment
	}
	return comments
}

// bound adds the lists and bounds of the checks.
func bound(definitions jsonschema.Definitions) {
	enum := func(of, field, standard string, allowed ...string) {
		s := value(definitions[of], field)
		for _, a := range allowed {
			s.Enum = append(s.Enum, a)
		}
		if standard != "" {
			s.Default = standard
		}
	}
	enum("Document", "apiVersion", "", freight.APIVersion)
	enum("Warehouse", "freightCreationPolicy", CreationAutomatic, CreationAutomatic, CreationManual)
	enum("ImageSubscription", "imageSelectionStrategy", StrategySemVer, imageStrategies...)
	enum("GitSubscription", "commitSelectionStrategy", StrategyNewestFromBranch, gitStrategies...)
	enum("Sources", "availabilityStrategy", OneOf, OneOf, All)
	enum("Approval", "notBy", "", NotByPromoter)
	for _, of := range []string{"ImageSubscription", "GitSubscription", "ChartSubscription"} {
		between(value(definitions[of], "discoveryLimit"), 1, MaxDiscoveryLimit)
		value(definitions[of], "discoveryLimit").Default = DefaultDiscoveryLimit
		value(definitions[of], "repoURL").MinLength = count(1)
	}
	for _, of := range []string{"ImageSubscription", "GitSubscription"} {
		value(definitions[of], "strictSemvers").Default = true
		value(definitions[of], "allowTagsRegexes").MaxItems = count(maxPatterns)
		value(definitions[of], "ignoreTagsRegexes").MaxItems = count(maxPatterns)
	}
	value(definitions["GitSubscription"], "includePaths").MaxItems = count(maxPatterns)
	value(definitions["GitSubscription"], "excludePaths").MaxItems = count(maxPatterns)
	between(value(definitions["Approval"], "required"), 1, maxApprovals)
	value(definitions["Warehouse"], "interval").Default = DefaultInterval
	value(definitions["Gates"], "promote").Default = GatePromote
	value(definitions["Gates"], "approve").Default = GateApprove
	for _, of := range []string{"Warehouse", "Stage", "Subscription"} {
		value(definitions[of], "name").Pattern = namePattern
	}
	for of, field := range map[string]string{"Document": "warehouses", "Warehouse": "subscriptions", "Stage": "requestedFreight"} {
		value(definitions[of], field).MinItems = count(1)
	}
	value(definitions["Document"], "stages").MinItems = count(1)
	value(definitions["Warehouse"], "subscriptions").MaxItems = count(maxSubscriptions)
	value(definitions["Stage"], "mirrors").MaxItems = count(freight.MaxMirrors)
	for _, kind := range []string{"image", "git", "chart"} {
		definitions["Subscription"].OneOf = append(definitions["Subscription"].OneOf, &jsonschema.Schema{Required: []string{kind}})
	}
}

func value(of *jsonschema.Schema, field string) *jsonschema.Schema {
	s, found := of.Properties.Get(field)
	if !found {
		panic("there is no field " + field)
	}
	return s
}

func between(s *jsonschema.Schema, least, most int) {
	s.Minimum, s.Maximum = json.Number(strconv.Itoa(least)), json.Number(strconv.Itoa(most))
}

func count(n uint64) *uint64 { return &n }
