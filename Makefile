# Targets of the repository. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
LINT = go tool -modfile=hack/lint/go.mod golangci-lint
# Packages that start the real stack; they run one after the other.
STACK_PACKAGES = ./hack/stack ./hack/bundle ./hack/e2e
FUZZ_TIME ?= 3s
# The race detector needs a C compiler.
RACE = $(shell command -v cc >/dev/null && echo -race)

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the four binaries into bin/.
	$(GO_BUILD) -o bin/waybill-proxy ./proxy
	$(GO_BUILD) -o bin/waybill-plugin ./plugin
	$(GO_BUILD) -o bin/waybill-plugin-chart ./plugin/chart
	$(GO_BUILD) -o bin/argocd-waybill ./proxy/cli/argocd-waybill

.PHONY: ui
ui: ui/node_modules/.package-lock.json ## Build the UI extension, and a page to see it in, into ui/dist/.
	cd ui && node build/bundle.mjs && node build/host.mjs

# Installs what package-lock.json names, once for each of its states.
ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	@command -v npm >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm < /dev/null; } || \
	  { echo "Node.js is missing, which the UI is built with: install nodejs and npm"; exit 1; }
	cd ui && npm ci --no-progress
	@touch $@

.PHONY: demo
demo: ## Run everything on this machine: Kubernetes, Argo CD, a registry, Git and a shop.
	@# Not by go run, which makes an error of Ctrl-C.
	@echo "building the demo" && go build -o bin/demo ./hack/demo && exec bin/demo

.PHONY: demo-push
demo-push: ## Push the next version of the demo's image, as CI would.
	go run ./hack/demo push

.PHONY: test
test: lint test-ui ## All tests. Begins with lint.
	@# What runs on the stack mostly waits for it, so that the rest goes on beside.
	$(MAKE) --no-print-directory -j2 -Oline beside-the-stack on-the-stack

.PHONY: beside-the-stack on-the-stack
beside-the-stack:
	$(MAKE) --no-print-directory test-unit
	$(MAKE) --no-print-directory test-fuzz
on-the-stack:
	$(MAKE) --no-print-directory test-stack
	$(MAKE) --no-print-directory test-browser

.PHONY: lint
lint: ## Check the code with golangci-lint.
	$(LINT) run ./...

.PHONY: test-unit
test-unit: ## Tests that need no stack.
	go test $(RACE) -timeout 40m $$(go list ./... | grep -v -E '/hack/(stack|bundle|e2e|browser|gallery)$$')
	@# Many random worlds, which take too long with the race detector.
	go test -run '^TestInTheEndTheRecordsTellWhatIs$$' ./proxy/engine

.PHONY: test-ui
test-ui: ui ## Types, unit tests and the size of the UI extension.
	cd ui && npx --no-install tsc --noEmit && node build/test.mjs

.PHONY: test-stack
test-stack: ## Tests on the real stack, the end-to-end flow among them.
	go run ./hack/prepare
	go test $(RACE) -p 1 -timeout 60m -v $(STACK_PACKAGES)

.PHONY: test-browser
test-browser: ui ## The UI extension in a browser: every state, then the flow on the real stack.
	go test -count=1 -timeout 20m -v ./hack/gallery
	go run ./hack/prepare
	go test -timeout 20m -v ./hack/browser

.PHONY: test-fuzz
test-fuzz: ## Every fuzz target for FUZZ_TIME (3s).
	hack/fuzz.sh $(FUZZ_TIME)

.PHONY: fuzz
fuzz: ## Every fuzz target for a minute, from where the last one ended.
	hack/fuzz.sh 60s "$$(go env GOCACHE)/fuzz"

.PHONY: bench
bench: ## Measure what Waybill promises to cost. Fails where a promise is missed.
	go run ./hack/bench

.PHONY: images
images: ui ## Build the three OCI images; REGISTRY=host/prefix pushes them there.
	go run ./hack/images $(if $(REGISTRY),--registry $(REGISTRY) --push)

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin dist .demo ui/dist ui/node_modules ui/screenshots
