package name_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline/name"
)

func TestAPipelinesNameMayLeaveOutTheDefaultNamespace(t *testing.T) {
	tests := map[string]struct {
		want  name.Pipeline
		full  string
		short string
	}{
		"shop":         {name.Pipeline{Namespace: "waybill", Name: "shop"}, "waybill/shop", "shop"},
		"waybill/shop": {name.Pipeline{Namespace: "waybill", Name: "shop"}, "waybill/shop", "shop"},
		"team-a/shop":  {name.Pipeline{Namespace: "team-a", Name: "shop"}, "team-a/shop", "team-a/shop"},
	}
	for text, test := range tests {
		got, err := name.ParsePipeline(text)
		if err != nil || got != test.want || got.String() != test.full || got.Short() != test.short {
			t.Errorf("ParsePipeline(%q) = %q (short %q), %v, want %q (short %q)", text, got, got.Short(), err, test.full, test.short)
		}
	}
}

func TestWhatIsNoNameOfAPipelineIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "/", "a/", "/a", "a/b/c", "Shop", "shop_1", "-shop", "shop-", "shop\n", " shop", "a.b", strings.Repeat("a", 64), "ü",
	} {
		got, err := name.ParsePipeline(text)
		if err == nil {
			t.Errorf("ParsePipeline(%q) = %v, want an error", text, got)
		} else if !strings.HasSuffix(err.Error(), "is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens") {
			t.Errorf("ParsePipeline(%q) says %v", text, err)
		}
	}
}

func TestAStagesNameIsReadWithAndWithoutNamespace(t *testing.T) {
	tests := map[string]struct {
		want name.Stage
		text string
	}{
		"shop/prod":         {name.Stage{Pipeline: name.Pipeline{Namespace: "waybill", Name: "shop"}, Stage: "prod"}, "shop/prod"},
		"waybill/shop/prod": {name.Stage{Pipeline: name.Pipeline{Namespace: "waybill", Name: "shop"}, Stage: "prod"}, "shop/prod"},
		"team/shop/prod":    {name.Stage{Pipeline: name.Pipeline{Namespace: "team", Name: "shop"}, Stage: "prod"}, "team/shop/prod"},
	}
	for text, test := range tests {
		got, err := name.ParseStage(text)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("ParseStage(%q): %v (-want +got):\n%s", text, err, diff)
		}
		if got.String() != test.text {
			t.Errorf("the stage %q is written %q, want %q", text, got, test.text)
		}
	}
}

func TestWhatIsNoNameOfAStageIsRefused(t *testing.T) {
	tests := map[string]string{
		"":           `"" is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod`,
		"prod":       `"prod" is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod`,
		"shop/Prod":  `"shop/Prod" is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod`,
		"shop/prod ": `"shop/prod " is not the name of a stage: want [<namespace>/]<pipeline>/<stage>, for example shop/prod`,
		"Shop/prod":  `"Shop/prod" is not the name of a stage: "Shop" is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens`,
		"a/b/c/prod": `"a/b/c/prod" is not the name of a stage: "a/b/c" is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens`,
	}
	for text, want := range tests {
		if got, err := name.ParseStage(text); err == nil || err.Error() != want {
			t.Errorf("ParseStage(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzTheNameOfAStageIsReadAsItIsWritten(f *testing.F) {
	for _, s := range []string{"shop/prod", "waybill/shop/prod", "team/shop/prod", "", "/", "a/b/c/d", "A/b", "shop/prod\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := name.ParseStage(text)
		if err != nil {
			if diff := cmp.Diff(name.Stage{}, got); diff != "" {
				t.Errorf("ParseStage(%q) refuses, and gives:\n%s", text, diff)
			}
			return
		}
		if again, err := name.ParseStage(got.String()); err != nil || again != got {
			t.Errorf("ParseStage(%q) = %q, which reads as %q, %v", text, got, again, err)
		}
		if full := got.Pipeline.String() + "/" + got.Stage; full != text && got.String() != text {
			t.Errorf("ParseStage(%q) = %q: neither is it written so, nor in full", text, got)
		}
	})
}
