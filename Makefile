# Calls only CMake and the scripts; `make help` lists the targets.
PREFIX ?= /usr/local
DESTDIR ?=
.DEFAULT_GOAL := build

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install what building and testing need (apt, pip; needs root)
	@scripts/deps

build: ## Build the plugin and the tests into build/
	@cmake --preset dev >/dev/null && cmake --build --preset dev

mover: deps ## Build the static volume movers for amd64 and arm64 into build/mover/
	@scripts/mover

release: ## Build the plugin with LTO, stripped, into build-release/
	@cmake --preset release && cmake --build --preset release

test: deps build ## Run all tests; ends with "N passed, N failed, N skipped"
	@scripts/test

test-long: deps build ## Full matrices, the suite under sanitizers, long fuzzing
	@scripts/test-long

check: build ## clang-format, clang-tidy and the arrows between the folders
	@scripts/check

cluster-up: ## Start a real Kubernetes with the runbook's site; prints the export line
	@tests/cluster/up

cluster-down: ## Stop it and leave nothing behind
	@tests/cluster/down

test-nfs: deps build mover ## The volume mover on a real NFS server with each squash rule, in a VM
	@tests/nfs/test

bench-mover: deps mover ## The volume mover against rsync, cp and tar over NFS, in a VM (BENCH="--files=20000 …")
	@tests/nfs/bench $(BENCH)

demo: deps build ## The main job on a real cluster, from nothing to exit 0
	@scripts/demo

demo-workspaces: deps build ## Move homes of workspaces on a real cluster, one way and back
	@scripts/demo-workspaces

install: release ## Install the plugin (PREFIX=/usr/local)
	@cmake --install build-release --prefix $(DESTDIR)$(PREFIX)

clean: ## Remove what was built
	@cmake -E rm -rf build build-release build-asan build-tsan dist

.PHONY: help deps build mover release test test-long check cluster-up cluster-down test-nfs bench-mover demo demo-workspaces install clean
