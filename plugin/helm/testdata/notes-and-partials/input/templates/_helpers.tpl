{{/* a comment */}}{{ define "app.name" }}{{ .Values.nameOverride | default .Chart.Name }}{{ end }}
