{{- define "redis.image" -}}
{{- $separator := ":" -}}{{- $end := .Values.image.tag | toString -}}
{{- if .Values.image.digest }}{{- $separator = "@" -}}{{- $end = .Values.image.digest | toString -}}{{- end -}}
{{- printf "%s/%s%s%s" .Values.image.registry .Values.image.repository $separator $end -}}
{{- end -}}
{{- define "redis.storageClass" -}}
{{- with .Values.master.persistence.storageClass }}{{ if eq "-" . }}storageClassName: ""{{ else }}storageClassName: {{ . | quote }}{{ end }}{{ end -}}
{{- end -}}
