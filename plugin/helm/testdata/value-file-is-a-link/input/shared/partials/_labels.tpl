{{ define "labels" }}team: shop{{ end }}
