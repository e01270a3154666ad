package main

import (
	"strconv"
	"strings"
)

// workloads is how many deployments, each with a service, stand in what is no
// toy.
const workloads = 100

// manyWorkloads are the files of a kustomization that has them, without its own.
func manyWorkloads() map[string]string {
	var text strings.Builder
	for i := range workloads {
		text.WriteString(strings.ReplaceAll(workload, number, strconv.Itoa(i)))
	}
	return map[string]string{"many.yaml": text.String()}
}

// chartOfManyWorkloads are the files of a chart that has them.
func chartOfManyWorkloads() map[string]string {
	return map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
		"templates/many.yaml": "{{- range until " + strconv.Itoa(workloads) + " }}\n" +
			strings.ReplaceAll(workload, number, "{{ . }}") + "{{- end }}\n",
	}
}

// below puts files into a folder.
func below(folder string, files map[string]string) map[string]string {
	moved := map[string]string{}
	for name, text := range files {
		moved[folder+"/"+name] = text
	}
	return moved
}

// number stands for a workload's own in its text.
const number = "NUMBER"

const workload = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker-NUMBER}
spec:
  selector: {matchLabels: {app: worker-NUMBER}}
  template:
    metadata: {labels: {app: worker-NUMBER}}
    spec:
      containers:
      - name: worker
        image: registry.example.com/shop
        args: [--queue, "NUMBER"]
        env: [{name: QUEUE, value: "NUMBER"}]
        resources: {requests: {cpu: 100m, memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: worker-NUMBER}
spec: {ports: [{port: 80}], selector: {app: worker-NUMBER}}
`
