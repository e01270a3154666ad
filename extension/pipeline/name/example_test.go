package name_test

import (
	"fmt"

	"github.com/waybill-cd/waybill/extension/pipeline/name"
)

func ExampleParseStage() {
	for _, annotation := range []string{"shop/prod", "waybill/shop/prod", "team/shop/prod", "prod"} {
		stage, err := name.ParseStage(annotation)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(stage, "is stage", stage.Stage, "of", stage.Pipeline)
	}
	// Output:
	// shop/prod is stage prod of waybill/shop
	// shop/prod is stage prod of waybill/shop
	// team/shop/prod is stage prod of team/shop
	// "prod" is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod
}
