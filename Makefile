# Scrim. `make help` lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
# Only programs whose folder is there; `make build` puts each into bin/.
PROGRAMS := $(notdir $(wildcard cmd/scrim cmd/scrim-*))

# DEPS=build leaves out the packages that only tests need.
DEPS := all

GO2RTC_VERSION := v1.9.13
GOLANGCI_VERSION := v2.15.0

.DEFAULT_GOAL := build
.PHONY: help deps test-deps build demo test lint bench bench-go peers clean $(PROGRAMS)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

deps: ## install the system packages (Debian; says what to install elsewhere)
	@.ci/deps $(DEPS)

build demo bench bench-go: DEPS := build
lint: DEPS := build page
build: deps $(PROGRAMS) ## build all programs into bin/

# The pure part: one static binary without cgo.
scrim: deps
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/$@ ./cmd/$@

# These link OpenCV or FFmpeg. gocv and go-astiav name all of their libraries; with
# what nobody calls left out, a redactor loads 150 of them in place of 330, in a fifth of
# the time. It takes LLD: for GNU ld what is left out still needs its libraries.
$(filter-out scrim,$(PROGRAMS)): deps
	go build -ldflags '$(LDFLAGS)'"$$(command -v ld.lld >/dev/null && echo ' -extldflags "-fuse-ld=lld -Wl,--gc-sections -Wl,--as-needed"')" -o bin/$@ ./cmd/$@

# Functions in sections of their own can be left out.
CGO_CFLAGS ?= -g -O2 -ffunction-sections -fdata-sections
CGO_CXXFLAGS ?= $(CGO_CFLAGS)
export CGO_CFLAGS CGO_CXXFLAGS

demo: build ## show a live, redacted picture of two drawn cameras in a browser
	bin/scrim demo

# go2rtc is a peer in tests that nobody here wrote. Without network they are skipped,
# or fail with SCRIM_REQUIRE=all.
peers:
	@.ci/tool go2rtc github.com/AlexxIT/go2rtc $(GO2RTC_VERSION) github.com/AlexxIT/go2rtc \
		|| echo "go2rtc is missing in the tests"

test: build test-deps peers ## vet, test (with the race detector where there is no cgo), fuzz shortly, hunt leaks
	@.ci/test

lint: deps ## run golangci-lint; check types, style and parsing of the page's scripts
	@.ci/tool golangci-lint github.com/golangci/golangci-lint/v2 $(GOLANGCI_VERSION) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/tools/golangci-lint run ./...
	.ci/page/check

test-deps:
	@.ci/deps all

bench: build ## measure what redaction costs, and which faces it misses, in a minute; see bin/scrim-bench --help
	bin/scrim-bench --for 10s --baseline $(BENCH)

bench-go: deps ## run the benchmarks of single functions, each for half a second
	go test -run '^$$' -bench . -benchmem -benchtime 500ms -timeout 10m -p 1 ./pipeline/... ./redact/... ./transport/...

clean: ## remove what was built
	rm -rf bin artefacts
