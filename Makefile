# `make run` and `make test` are enough to try CareGraph. Run `make check` before
# each commit. The file works with GNU make 3.81, the version of macOS, and later.

GO       ?= go
FUZZTIME ?= 30s
ARGS     ?=

# Development tools have a module of their own, so that the server's go.mod lists
# only what the server needs.
TOOL = $(GO) tool -modfile=tools/go.mod

# The binary contains its revision, unless there is no git, or git refuses to read
# this tree, for example because it belongs to another account.
# The paths of this machine stay out, so that two builds of a commit are equal.
CLI   = github.com/caregraph/caregraph/internal/cli
STAMP = -trimpath -buildvcs=false -ldflags "-X $(CLI).built=$$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null) \
	-X $(CLI).builtAt=$$(git log -1 --format=%cI 2>/dev/null) $(LDFLAGS)"

.DEFAULT_GOAL := help
.PHONY: toolchain package binary fresh-machine fresh-service fresh-cluster run demo test test-tools check lint nolint prose faults fmt generate fresh versions contract release-schema tidy vet build pg playground browse test-clients examples fill fuzz race bench growth drills pgo clean help

# An old Go says only that it cannot read go.mod.
toolchain:
	@$(GO) list -m >/dev/null || { \
		echo "CareGraph needs Go $$(sed -n 's/^go //p' go.mod) (Go 1.21 or newer fetches it); this is $$($(GO) version 2>/dev/null || echo no Go)" >&2; \
		exit 1; \
	}

run: build ## Run the server, with its own PostgreSQL; ARGS="..." passes flags
	@exec bin/caregraph $(ARGS)

# The environment may name the database of make run, which the example clinic must not fill.
demo: build ## Run the server with an example clinic, in a database of its own; ARGS="..." passes flags
	@export DATABASE_URL= CAREGRAPH_DATABASE_URL= CAREGRAPH_DATABASE_ADMIN_URL= CAREGRAPH_DATA=; exec bin/caregraph serve --demo $(ARGS)

# The packages that take longest come first, so that none of them is left alone at the end.
SLOWEST = ./internal/e2e ./store ./graph

test: toolchain ## Run every test; they start their own PostgreSQL
	$(GO) test -shuffle=on -timeout=20m $(SLOWEST) ./...

test-tools: ## Run the tests of the development tools
	$(GO) test -C tools -shuffle=on ./...

check: fresh versions contract tidy vet nolint prose lint test-tools race ## Everything that must pass before a commit

build: toolchain bin/pages ## Build bin/caregraph
	@echo "building bin/caregraph: the first time takes a minute or two" >&2
	@$(MAKE) --no-print-directory binary OUT=bin/caregraph

binary: # the same bytes in each directory and on each machine of one kind
	@CGO_ENABLED=0 $(GO) build $(STAMP) -o $(OUT) .

# nfpm has a module of its own: it needs much that neither the server nor its tools do.
PACKAGE = bin/package
FORMATS = deb rpm
package: export ARCH = $(shell $(GO) env GOARCH)
package: export VERSION ?= $(shell sed -n 's/^const version = "\(.*\)"/\1/p' server.go)
package: toolchain bin/pages ## Build bin/package/caregraph_*.deb and .rpm
	@mkdir -p $(PACKAGE)
	@$(MAKE) --no-print-directory binary OUT=$(PACKAGE)/caregraph LDFLAGS='-s -w'
	@printf 'caregraph (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$$VERSION" \
		"$$(sed -n 's/^maintainer: //p' packaging/nfpm.yaml)" "$$(git log -1 --format=%cD 2>/dev/null || date -R)" | gzip -9n >$(PACKAGE)/changelog.gz
	@cd packaging && for format in $(FORMATS); do \
		[ $$format = deb ] && export UNITS=/lib/systemd/system || export UNITS=/usr/lib/systemd/system; \
		$(GO) tool nfpm package --config nfpm.yaml --packager $$format --target ../$(PACKAGE)/ || exit; \
	done

# The pages for the browser are built if Node is installed and their sources are
# newer. Without Node or a network, the binary serves a plain page instead, so this
# never fails a build. bin/pages says that this was tried, and is not tried again.
PAGES = web/index.html web/package.json web/package-lock.json web/tsconfig.json web/vite.config.ts \
	$(shell find web/src web/docs web/rights -type f ! -path 'web/docs/plain/*' 2>/dev/null)

bin/pages: $(PAGES)
	@if sh web/node-version && ! $(MAKE) --no-print-directory playground; then \
		echo "the playground could not be built: until 'make playground build', the server has a plain page" >&2; \
	fi
	@mkdir -p bin && touch bin/pages

pg: toolchain ## Put PostgreSQL in the project's cache, if this machine has none (needs Node)
	@$(GO) run ./internal/pgserver/install tools/pg

playground: ## Pack the pages for the browser into web/dist, for the next build (needs Node)
	@sh web/node-version
	cd web && npm ci --no-audit --no-fund && npm run build
	@mkdir -p bin && touch bin/pages

browse: ## Test the pages in a real browser (needs Node and Chromium)
	.ci/browse

test-clients: build ## Test the server with GraphQL clients that people use, as they are (needs Node)
	cd internal/e2e/clients && npm ci --no-audit --no-fund && npm test

examples: ## Test examples/spa and examples/mobile against the server (needs Node and Chromium)
	.ci/examples

fill: build ## Fill a running server with example records; N=1000 adds that many patients
	@exec bin/caregraph fill $(if $(N),--number $(N)) $(ARGS)

# Built inside the tools' module: the generator needs the tools' go.mod to build,
# and the server's go.mod to read the server's packages.
generate: ## Generate graph/gen from schema.graphqls and gqlgen.yml
	$(GO) run -C tools ./generate

fresh: ## Check that graph/gen is up to date
	@before=$$(cat graph/gen/*.go | cksum) && $(MAKE) --no-print-directory generate && \
	after=$$(cat graph/gen/*.go | cksum) && \
	if [ "$$before" != "$$after" ]; then echo "graph/gen was stale and was generated again: commit it" >&2; exit 1; fi

versions: ## Check that the generator and the library it generates for agree
	@library=$$($(GO) list -m -f '{{.Version}}' github.com/99designs/gqlgen) && \
	generator=$$($(GO) list -modfile=tools/go.mod -m -f '{{.Version}}' github.com/99designs/gqlgen) && \
	if [ "$$library" != "$$generator" ]; then echo "gqlgen is $$library in go.mod but $$generator in tools/go.mod" >&2; exit 1; fi

contract: ## Check that CHANGELOG.md names each change that can break a client
	$(GO) run -C tools ./contract

release-schema: ## Keep schema.graphqls as the schema of the release VERSION
	@if [ -z "$(VERSION)" ]; then echo "name the release: make release-schema VERSION=0.2.0" >&2; exit 1; fi
	$(GO) run -C tools ./contract --release "$(VERSION)"

tidy: ## Check that go.mod and go.sum name what the code uses
	$(GO) mod tidy -diff

vet: ## Run go vet
	$(GO) vet ./...
	$(GO) vet -C tools ./...

lint: ## Run the linters of .golangci.yml (their first build takes minutes)
	$(TOOL) golangci-lint run
	cd tools && $(GO) tool golangci-lint run --config ../.golangci.yml

nolint: ## Check that each nolint comment names a linter that is on
	.ci/nolint

prose: ## Check comments, docs and error texts for words that we do not use
	.ci/prose

faults: ## Run the tests of docs/faults.md, and print the result of each fault; ARGS="F12" for one
	@$(GO) run -C tools ./faults $(ARGS)

fmt: ## Format all Go code as lint requires
	$(TOOL) golangci-lint fmt

# The detector sees this process alone. So -short leaves out most of what runs one after the
# other, such as random operations, and the plans of PostgreSQL; internal/e2e and
# internal/backup, which drive other processes, are left out as a whole.
race: ## Run the tests under the race detector (needs a C compiler)
	$(GO) test -race -vet=off -short -shuffle=on -timeout=30m $$($(GO) list $(SLOWEST) ./... | grep -v '/internal/e2e$$\|/internal/backup$$')

# go test takes one fuzz target of one package at a time.
fuzz: ## Fuzz every target for FUZZTIME each
	@grep -r --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | \
	sed 's|^\(.*\)/[^/]*:func \(Fuzz[A-Za-z0-9_]*\).*|\1 \2|' | \
	while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

# Linux only: /proc reports what a process has used. They create everything else
# that they need, and remove it afterwards.
BENCH = @$(GO) build $(STAMP) -o bin/bench ./bench && exec bin/bench

bench: ## Measure requests against the floor (PEERS=1) or an older build (ARGS="--against BINARY")
	$(BENCH) $(if $(PEERS),--peers) $(ARGS)

drills: build ## Run the drills, such as hostile clients and failovers; ONLY=D1,D2 chooses some (Linux)
	@$(GO) build $(STAMP) -o bin/drill ./internal/drills && exec bin/drill --only "$(ONLY)" $(ARGS)

growth: ## Measure how that grows with the data, and lists of 5 million patients (half an hour, 15 GB of disk)
	$(BENCH) --growth --seconds 2 --json bin/growth.json $(ARGS)

fresh-machine: ## Follow README on a clean Debian, as root and as a user (root, Linux, needs debootstrap)
	internal/drills/fresh-machine $(ARGS)

fresh-service: ## Install, use and remove the package on a clean Debian with systemd (root, Linux, needs systemd-container)
	internal/drills/fresh-service

fresh-cluster: ## Set up the cluster of docs/operations.md on five of them, and pull the plug of its primary
	internal/drills/fresh-cluster

pgo: ## Write default.pgo, the profile that the compiler uses to optimize the server
	$(BENCH) --pgo $(ARGS)

clean: ## Remove all build results; data directories stay
	rm -rf bin
	find web/dist -mindepth 1 ! -path web/dist/.gitkeep -delete

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
