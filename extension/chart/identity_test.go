package chart_test

import (
	"testing"

	"github.com/waybill-cd/waybill/extension/chart"
)

func TestAChartHasOneNameHoweverItIsWritten(t *testing.T) {
	tests := map[string]struct{ repository, name, pinned, pinnedName string }{
		"in a registry":            {"oci://registry.example.com/charts", "db", "oci://registry.example.com/charts/db", ""},
		"at a registry's root":     {"oci://registry.example.com", "db", "oci://registry.example.com/db", ""},
		"at the root of a port":    {"oci://127.0.0.1:5000/", "db", "oci://127.0.0.1:5000/db", ""},
		"in a classic repository":  {"https://charts.example.com/stable/", "db", "https://CHARTS.example.com/stable", "db"},
		"at the root of a classic": {"https://charts.example.com", "db", "https://charts.example.com/", "db"},
		"of an organisation's hub": {"oci://registry-1.docker.io/shopcharts", "db", "oci://docker.io/shopcharts/db", ""},
		"a scheme in capitals":     {"OCI://registry.example.com/charts", "db", "oci://registry.example.com/charts/db", ""},
		"with slashes at the end":  {"oci://registry.example.com/charts//", "db", "oci://registry.example.com/charts/db", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, want := chart.Identity(test.repository, test.name), chart.Identity(test.pinned, test.pinnedName); got != want {
				t.Errorf("the dependency is %s, and the pin %s", got, want)
			}
		})
	}
	if chart.Identity("https://a.example.com", "db") == chart.Identity("https://b.example.com", "db") {
		t.Error("charts of two repositories have one name")
	}
}
