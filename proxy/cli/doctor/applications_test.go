package doctor

import "testing"

func TestArgoCDPacksWhatAllPathsHaveInCommon(t *testing.T) {
	for _, tt := range []struct{ source, annotation, want string }{
		{"services/shop/prod", ".", "services/shop/prod"},
		{"services/shop/prod", ".;../base", "services/shop"},
		{"services/shop/prod", "/services/shop", "services/shop"},
		{"services/shop/prod", "/services/shop/base; /services/shop/prod", "services/shop"},
		{"services/shop/prod", "/services/shop/prod/deeper", "services/shop/prod"},
		{"services/shop", ".;/base", ""},
		{"services/shop", "/", ""},
		{"services/shop", "../../../../..", ""},
		{".", ".", ""},
	} {
		if got := packed(tt.source, tt.annotation); got != tt.want {
			t.Errorf("packed(%q, %q) = %q, want %q", tt.source, tt.annotation, got, tt.want)
		}
	}
}
