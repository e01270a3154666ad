package main

import (
	"context"
	"path/filepath"

	"github.com/waybill-cd/waybill/hack/bench/pair"
	"github.com/waybill-cd/waybill/hack/stack/component"
)

// chartCost is what generate may cost for a chart, as a share of what `helm
// template` costs.
const chartCost = 1

// smallChart is a deployment and a service as a chart.
func smallChart(ctx context.Context, w *workshop) ([]figure, error) {
	return w.againstHelm(ctx, "chart", map[string]string{
		shopPath + "/Chart.yaml":  "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
		shopPath + "/values.yaml": "image: {repository: registry.example.com/shop, tag: latest}\nreplicas: 3\nport: 80\n",
		shopPath + "/templates/_helpers.tpl": `{{- define "shop.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
`,
		shopPath + "/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "shop.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {{- include "shop.labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "shop.labels" . | nindent 8 }}
    spec:
      containers:
      - name: shop
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        ports: [{containerPort: {{ .Values.port }}}]
`,
		shopPath + "/templates/service.yaml": `apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "shop.labels" . | nindent 4 }}
spec:
  selector: {{- include "shop.labels" . | nindent 4 }}
  ports: [{port: {{ .Values.port }}}]
`,
	})
}

// largeChart renders 200 workloads.
func largeChart(ctx context.Context, w *workshop) ([]figure, error) {
	return w.againstHelm(ctx, "large-chart", map[string]string{
		shopPath + "/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
		shopPath + "/templates/all.yaml": `{{- range until 200 }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ $.Release.Name }}-{{ . }}"}
spec:
  selector: {matchLabels: {app: "{{ . }}"}}
  template:
    metadata: {labels: {app: "{{ . }}"}}
    spec:
      containers:
      - name: shop
        image: registry.example.com/shop
        env: [{name: NUMBER, value: "{{ . }}"}]
{{- end }}
`,
	})
}

func (w *workshop) againstHelm(ctx context.Context, name string, files map[string]string) ([]figure, error) {
	helm, err := w.builder.Build(ctx, component.Helm())
	if err != nil {
		return nil, err
	}
	if _, err := w.build(ctx, "waybill-plugin-chart", "./plugin/chart"); err != nil {
		return nil, err
	}
	path, err := w.application(name, files)
	if err != nil {
		return nil, err
	}
	all, err := w.paired(ctx,
		pair.Invocation{Program: w.plugin, Args: []string{"generate"}, Dir: path, Env: w.environment()},
		pair.Invocation{Program: filepath.Join(helm, "helm"), Args: []string{"template", application, "."}, Dir: path, Env: w.environment()})
	if err != nil {
		return nil, err
	}
	return compare(all, chartCost, chartCost), nil
}
