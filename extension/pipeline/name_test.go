package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

func TestAPipelinesNameMayLeaveOutTheDefaultNamespace(t *testing.T) {
	tests := map[string]struct {
		want  pipeline.Name
		full  string
		short string
	}{
		"shop":         {pipeline.Name{Namespace: "waybill", Name: "shop"}, "waybill/shop", "shop"},
		"waybill/shop": {pipeline.Name{Namespace: "waybill", Name: "shop"}, "waybill/shop", "shop"},
		"team-a/shop":  {pipeline.Name{Namespace: "team-a", Name: "shop"}, "team-a/shop", "team-a/shop"},
	}
	for text, test := range tests {
		got, err := pipeline.ParseName(text)
		if err != nil || got != test.want || got.String() != test.full || got.Short() != test.short {
			t.Errorf("ParseName(%q) = %q (short %q), %v, want %q (short %q)", text, got, got.Short(), err, test.full, test.short)
		}
	}
}

func TestWhatIsNoNameOfAPipelineIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "/", "a/", "/a", "a/b/c", "Shop", "shop_1", "-shop", "shop-", "shop\n", " shop", "a.b", strings.Repeat("a", 64), "ü",
	} {
		got, err := pipeline.ParseName(text)
		if err == nil {
			t.Errorf("ParseName(%q) = %v, want an error", text, got)
		} else if !strings.HasSuffix(err.Error(), "is not the name of a pipeline: want [<namespace>/]<pipeline>, each in lower-case letters, digits and hyphens") {
			t.Errorf("ParseName(%q) says %v", text, err)
		}
	}
}

func TestAStagesNameIsReadWithAndWithoutNamespace(t *testing.T) {
	tests := map[string]struct {
		want pipeline.StageName
		text string
	}{
		"shop/prod":         {pipeline.StageName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Stage: "prod"}, "shop/prod"},
		"waybill/shop/prod": {pipeline.StageName{Pipeline: pipeline.Name{Namespace: "waybill", Name: "shop"}, Stage: "prod"}, "shop/prod"},
		"team/shop/prod":    {pipeline.StageName{Pipeline: pipeline.Name{Namespace: "team", Name: "shop"}, Stage: "prod"}, "team/shop/prod"},
	}
	for text, test := range tests {
		got, err := pipeline.ParseStageName(text)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("ParseStageName(%q): %v (-want +got):\n%s", text, err, diff)
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
		if got, err := pipeline.ParseStageName(text); err == nil || err.Error() != want {
			t.Errorf("ParseStageName(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzTheNameOfAStageIsReadAsItIsWritten(f *testing.F) {
	for _, s := range []string{"shop/prod", "waybill/shop/prod", "team/shop/prod", "", "/", "a/b/c/d", "A/b", "shop/prod\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := pipeline.ParseStageName(text)
		if err != nil {
			if diff := cmp.Diff(pipeline.StageName{}, name); diff != "" {
				t.Errorf("ParseStageName(%q) refuses, and gives:\n%s", text, diff)
			}
			return
		}
		if again, err := pipeline.ParseStageName(name.String()); err != nil || again != name {
			t.Errorf("ParseStageName(%q) = %q, which reads as %q, %v", text, name, again, err)
		}
		if full := name.Pipeline.String() + "/" + name.Stage; full != text && name.String() != text {
			t.Errorf("ParseStageName(%q) = %q: neither is it written so, nor in full", text, name)
		}
	})
}
