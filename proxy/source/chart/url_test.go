package chart

import "testing"

func TestWhereAnArchiveIs(t *testing.T) {
	const https = "https://charts.example.com/stable"
	for name, test := range map[string]struct{ repo, written, want string }{
		"beside the index":           {https, "db-1.0.0.tgz", "https://charts.example.com/stable/db-1.0.0.tgz"},
		"below it":                   {https + "/", "charts/db-1.0.0+a.tgz", "https://charts.example.com/stable/charts/db-1.0.0+a.tgz"},
		"from the root":              {https, "/db-1.0.0.tgz", "https://charts.example.com/db-1.0.0.tgz"},
		"elsewhere":                  {https, "https://cdn.example.com/db.tgz?x=1", "https://cdn.example.com/db.tgz?x=1"},
		"elsewhere, with a password": {https, "https://a:b@cdn.example.com/db.tgz", "https://cdn.example.com/db.tgz"},
		"with the repository's key":  {https + "?key=1", "db.tgz", "https://charts.example.com/stable/db.tgz?key=1"},
		"with a key of its own":      {https + "?key=1", "db.tgz?key=2", "https://charts.example.com/stable/db.tgz?key=2"},
		"on this machine":            {"http://localhost:8080", "http://127.0.0.1:8080/db.tgz", "http://127.0.0.1:8080/db.tgz"},
		"over plain HTTP":            {https, "http://cdn.example.com/db.tgz", ""},
		"on the proxy's machine":     {https, "http://127.0.0.1:8080/db.tgz", ""},
		"in the proxy's services":    {https, "https://localhost/db.tgz", ""},
		"in a file":                  {https, "file:///etc/passwd", ""},
		"in a registry":              {https, "oci://registry.example.com/db", ""},
		"nowhere":                    {https, "", ""},
		"no URL":                     {https, "https://%zz", ""},
		"a host without a scheme":    {https, "//127.0.0.1/db.tgz", ""},
	} {
		got, err := archiveURL(test.repo, test.written)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}
