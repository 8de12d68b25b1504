# Scrim. `make help` lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
# Only programs whose folder exists; `make build` puts each into bin/.
PROGRAMS := $(notdir $(wildcard cmd/scrim cmd/scrim-*))

# DEPS=build leaves out the packages that only tests need.
DEPS := all

GO2RTC_VERSION := v1.9.13
GOLANGCI_VERSION := v2.15.0

.DEFAULT_GOAL := build
.PHONY: help deps test-deps build demo test lint bench bench-go peers clean $(PROGRAMS)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

deps: ## install the system packages (on Debian; elsewhere, list them)
	@.ci/deps $(DEPS)

build demo bench bench-go: DEPS := build
lint: DEPS := build page
build: deps $(PROGRAMS) ## build all programs into bin/

# The pure part: one static binary without cgo.
scrim: deps
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/$@ ./cmd/$@

# These link OpenCV or FFmpeg. gocv and go-astiav link all libraries; without the unused
# ones, a redactor loads 150 instead of 330, in a fifth of the time. That needs LLD: GNU ld
# keeps the libraries of discarded sections.
$(filter-out scrim,$(PROGRAMS)): deps
	go build -ldflags '$(LDFLAGS)'"$$(command -v ld.lld >/dev/null && echo ' -extldflags "-fuse-ld=lld -Wl,--gc-sections -Wl,--as-needed"')" -o bin/$@ ./cmd/$@

# Sections of their own allow the linker to discard functions.
CGO_CFLAGS ?= -g -O2 -ffunction-sections -fdata-sections
CGO_CXXFLAGS ?= $(CGO_CFLAGS)
export CGO_CFLAGS CGO_CXXFLAGS

demo: build ## show two drawn cameras, live and redacted, in a browser
	bin/scrim demo

# go2rtc is a foreign peer in tests. Without network they are skipped, or fail with
# SCRIM_REQUIRE=all.
peers:
	@.ci/tool go2rtc github.com/AlexxIT/go2rtc $(GO2RTC_VERSION) github.com/AlexxIT/go2rtc \
		|| echo "go2rtc is missing in the tests"

test: build test-deps peers ## vet, test (without cgo: with the race detector), fuzz briefly, find leaks
	@.ci/test

lint: deps ## check words; run golangci-lint; check types, style and parsing of the page's scripts
	.ci/words
	@.ci/tool golangci-lint github.com/golangci/golangci-lint/v2 $(GOLANGCI_VERSION) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/tools/golangci-lint run ./...
	.ci/page/check

test-deps:
	@.ci/deps all page

bench: build ## measure the cost of redaction and the missed faces, in a minute; see bin/scrim-bench --help
	bin/scrim-bench --for 10s --baseline $(BENCH)

bench-go: deps ## run the benchmarks of functions, half a second each
	go test -run '^$$' -bench . -benchmem -benchtime 500ms -timeout 10m -p 1 ./pipeline/... ./redact/... ./transport/...

clean: ## remove build outputs
	rm -rf bin artefacts
