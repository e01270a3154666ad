package helm_test

import (
	"strings"
	"testing"
)

func TestAChartCannotTellWhatItsValuesNameAsSecret(t *testing.T) {
	const values = `
auth: {pass: hunter2, dbConn: hunter2, connectionString: hunter2, password: 771177, apiToken: [hunter2]}
database: "postgres://shop:hunter2@db:5432/shop"
odd: "a://hunter2:x"
pattern: "(hunter2"
`
	for _, template := range []string{
		`{{ fail .Values.auth.pass }}`, `{{ fail .Values.auth.dbConn }}`, `{{ fail .Values.auth.connectionString }}`,
		`{{ fail (toString .Values.auth.password) }}`, `{{ fail (printf "%v" .Values.auth.apiToken) }}`, `{{ fail (printf "no way to %s" .Values.database) }}`,
		`{{ urlParse .Values.odd }}`, `{{ mustRegexMatch .Values.pattern "a" }}`, `{{ include .Values.pattern . }}`, `a: !!int {{ .Values.auth.pass }}`,
	} {
		got := refused(t, map[string][]byte{"Chart.yaml": []byte(chartFile), "values.yaml": []byte(values), "templates/a.yaml": []byte(template)})
		if strings.Contains(got, "hunter2") || strings.Contains(got, "771177") {
			t.Errorf("%s is refused with %s", template, got)
		}
	}
}
