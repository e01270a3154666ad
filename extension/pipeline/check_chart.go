package pipeline

import (
	"regexp"
	"strings"
)

func checkChart(path string, s ChartSubscription, found *problems) {
	const example = "https://charts.example.com or oci://registry.example.com/charts/db"
	good := checkURL(path+".repoURL", s.RepoURL, example, found, "https", "http", schemeOCI)
	switch oci := s.OCI(); {
	case good && oci && !namesChart(s.RepoURL):
		found.add(path+".repoURL", "%q is not a chart: write oci://host/path, without tag or digest", s.RepoURL)
	case oci && s.Name != "":
		found.add(path+".name", "means nothing in a registry, where repoURL ends in it: write oci://host/path/%s, and leave it out", s.Name)
	case good && !oci && s.Name == "":
		found.add(path+".name", "is missing: name the chart in the repository")
	case !oci && s.Name != "" && !chartName.MatchString(s.Name):
		found.add(path+".name", "%q is not the name of a chart: name the one in the repository", s.Name)
	}
	checkRange(path+".semverConstraint", s.SemverConstraint, found)
	checkLimit(path+".discoveryLimit", s.DiscoveryLimit, found)
}

const schemeOCI = "oci"

// OCI tells whether the chart is in a registry, not in a classic repository.
func (s ChartSubscription) OCI() bool {
	scheme, _, found := strings.Cut(strings.TrimSpace(s.RepoURL), "://")
	return found && strings.EqualFold(scheme, schemeOCI)
}

// namesChart tells whether a URL of a registry goes on with a path, and with
// nothing more.
func namesChart(repoURL string) bool {
	_, rest, _ := strings.Cut(repoURL, "://")
	_, path, _ := strings.Cut(rest, "/")
	return strings.Trim(path, "/") != "" && bareRepository(rest)
}

// chartName is what Helm takes for one, as a part of a path.
var chartName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)
