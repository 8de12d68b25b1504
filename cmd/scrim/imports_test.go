package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"scrim/redact"
)

// goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	CgoFiles   []string
	Imports    []string
}

// graph is every package of the module and all that they import, tests left
// out.
type graph map[string]*goPackage

func listPackages(t *testing.T) graph {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,CgoFiles,Imports", "scrim/...")
	// Without cgo the go command would hide the files that we look for.
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	g := graph{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = &p
	}
}

// matching lists the packages of a pattern: a path, or a path with "/..." for
// it and all below.
func (g graph) matching(pattern string) []string {
	var out []string
	for path := range g {
		if matches(pattern, path) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

func matches(pattern, path string) bool {
	prefix, tree := strings.CutSuffix(pattern, "/...")
	return path == prefix || tree && strings.HasPrefix(path, prefix+"/")
}

// path returns how from comes to import a package for which bad is true, or
// nil.
func (g graph) path(from string, bad func(*goPackage) bool) []string {
	seen := map[string]bool{}
	var walk func(path string) []string
	walk = func(path string) []string {
		p := g[path]
		if p == nil || seen[path] {
			return nil
		}
		seen[path] = true
		if path != from && bad(p) {
			return []string{path}
		}
		for _, next := range p.Imports {
			if rest := walk(next); rest != nil {
				return append([]string{path}, rest...)
			}
		}
		return nil
	}
	return walk(from)
}

// linksC is true for packages with C code outside the standard library (whose
// own, in net and os/user, is optional).
func linksC(p *goPackage) bool {
	return !p.Standard && len(p.CgoFiles) > 0
}

func isAnyOf(patterns ...string) func(*goPackage) bool {
	return func(p *goPackage) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, p.ImportPath) })
	}
}

func TestEveryPackageOfTheDesignExists(t *testing.T) {
	g := listPackages(t)
	for _, path := range []string{
		"cmd/scrim", "cmd/scrim-redactor", "cmd/scrim-camera", "cmd/scrim-bench",
		"pipeline", "pipeline/decode", "pipeline/encode", "pipeline/files", "pipeline/simcam", "pipeline/scene",
		"pipeline/worker", "pipeline/worker/camera", "pipeline/ipc", "pipeline/redactorproc", "pipeline/batch",
		"redact", "redact/detect", "redact/track", "redact/obscure",
		"transport", "transport/gateway", "transport/rtsp", "transport/rtsp/login",
		"transport/bus", "transport/webrtc", "transport/rtspserver", "transport/onvif/device", "models",
	} {
		require.Contains(t, g, "scrim/"+path)
	}
}

// areas reads the table of docs/architecture.md: the number of the row of each package
// that it names, and the rows' names.
func areas(t *testing.T) (rows map[string]int, names []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs/architecture.md"))
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(text), "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows = map[string]int{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		for _, m := range spanRE.FindAllStringSubmatch(cells[2], -1) {
			require.NotContains(t, rows, m[1], "a package is named twice")
			rows[m[1]] = len(names)
		}
		names = append(names, strings.TrimSpace(cells[1]))
	}
	require.Greater(t, len(names), 5, "no table of packages")
	return rows, names
}

// The page's table of packages is ordered: dependencies point down. A package that it
// does not name is part of the one above it.
func TestImportsPointDownTheTableOfThePage(t *testing.T) {
	rows, names := areas(t)
	g := listPackages(t)
	for name := range rows {
		require.True(t, len(g.matching("scrim/"+name+"/...")) > 0, "%s is not a package", name)
	}
	rowOf := func(name string) int {
		for above := name; above != "."; above = path.Dir(above) {
			if row, ok := rows[above]; ok {
				return row
			}
		}
		t.Fatalf("docs/architecture.md: package %s belongs to no area", name)
		return 0
	}
	edges := 0
	for from, p := range g {
		from, ours := strings.CutPrefix(from, "scrim/")
		if !ours {
			continue
		}
		for _, to := range p.Imports {
			if to, ours := strings.CutPrefix(to, "scrim/"); ours {
				edges++
				up, down := rowOf(to), rowOf(from)
				assert.GreaterOrEqual(t, up, down, "%s (%s) imports %s (%s), which is above it", from, names[down], to, names[up])
			}
		}
	}
	require.Greater(t, edges, 100)
}

func TestPackagesLinkOnlyWhatTheyMay(t *testing.T) {
	g := listPackages(t)
	for _, rule := range []struct {
		why     string
		subject []string
		bad     func(*goPackage) bool
	}{
		{
			"what talks to the network cannot decode a picture",
			[]string{"scrim/cmd/scrim", "scrim/cmd/internal/...", "scrim/transport/...", "scrim/models/...", "scrim/pipeline/worker/...", "scrim/pipeline/ipc",
				"scrim/pipeline/redactorproc", "scrim/pipeline/batch"},
			func(p *goPackage) bool {
				return linksC(p) || isAnyOf("gocv.io/x/gocv/...", "github.com/asticode/go-astiav/...")(p)
			},
		},
		{
			"policy on regions is plain arithmetic",
			[]string{"scrim/redact", "scrim/redact/track", "scrim/redact/zone", "scrim/redact/face", "scrim/redact/geom", "scrim/redact/yuv"},
			linksC,
		},
		{
			"packages know no program, nor its configuration file",
			[]string{"scrim/pipeline/...", "scrim/transport/...", "scrim/redact/...", "scrim/models/..."},
			isAnyOf("scrim/cmd/..."),
		},
		{
			"transport knows neither pictures nor policy",
			[]string{"scrim/transport/..."},
			func(p *goPackage) bool {
				return p.ImportPath != "scrim/redact/geom" && isAnyOf("scrim/pipeline/...", "scrim/redact/...")(p) // pure arithmetic
			},
		},
		{
			"redaction knows neither where pictures come from nor where they go",
			[]string{"scrim/redact/..."},
			isAnyOf("scrim/transport/...", "scrim/pipeline/...", "net", "net/http"),
		},
		{
			"the redactor process has nothing with which to talk to anyone, and draws no people",
			[]string{"scrim/cmd/scrim-redactor"},
			isAnyOf("scrim/transport/rtsp/...", "scrim/transport/bus/...", "scrim/transport/webrtc/...",
				"scrim/transport/rtspserver/...", "scrim/transport/fanout/...", "scrim/transport/auth/...", "scrim/transport/onvif/...",
				"scrim/pipeline/scene/...", "scrim/pipeline/simcam/...", "scrim/pipeline/worker/...", "scrim/pipeline/redactorproc", "scrim/pipeline/batch"),
		},
	} {
		for _, subject := range rule.subject {
			paths := g.matching(subject)
			require.NotEmpty(t, paths, "no package %s", subject)
			for _, path := range paths {
				require.Nil(t, g.path(path, rule.bad), rule.why)
			}
		}
	}
}

// go-astiav brings net/http with it, for another of its programs; what we wrote
// and the redactor links must not touch the network.
func TestRedactorsOwnPackagesDoNotImportTheNetwork(t *testing.T) {
	g := listPackages(t)
	linked := map[string]bool{}
	var walk func(path string)
	walk = func(path string) {
		if p := g[path]; p != nil && !linked[path] && matches("scrim/...", path) {
			linked[path] = true
			for _, next := range p.Imports {
				walk(next)
			}
		}
	}
	walk("scrim/cmd/scrim-redactor")
	require.Contains(t, linked, "scrim/pipeline/decode")
	for path := range linked {
		require.NotContains(t, g[path].Imports, "net", path)
		require.NotContains(t, g[path].Imports, "net/http", path)
	}
}

func TestPackagesAreImportedOnlyByWhomTheyMay(t *testing.T) {
	g := listPackages(t)
	for _, rule := range []struct {
		why     string
		target  string
		allowed []string
	}{
		{
			"a package with the raw encoder could encode a picture that was not redacted",
			"scrim/pipeline/internal/x264",
			[]string{"scrim/pipeline/encode", "scrim/pipeline/simcam", "scrim/pipeline/passthrough"},
		},
		{
			"what decodes and encodes with nothing in between is the benchmark's measure, and shows every face",
			"scrim/pipeline/passthrough",
			[]string{"scrim/cmd/scrim-bench"},
		},
		{
			"a redactor gets the environment, folder and pipes of one package; the others start other programs",
			"os/exec",
			[]string{
				"scrim/pipeline/redactorproc", "scrim/cmd/internal/programs", "scrim/cmd/internal/bench", "scrim/cmd/scrim-bench",
				"scrim/models/testenv", "github.com/...", "golang.org/...", "google.golang.org/...",
			},
		},
		{
			"drawn people are for the camera, the benchmark and tests",
			"scrim/pipeline/scene/...",
			[]string{"scrim/pipeline/scene/...", "scrim/pipeline/simcam/...", "scrim/cmd/scrim-camera", "scrim/cmd/scrim-bench"},
		},
		{
			"the simulated camera is no part of the way of a real picture",
			"scrim/pipeline/simcam/...",
			[]string{"scrim/pipeline/simcam/...", "scrim/cmd/scrim-camera", "scrim/cmd/scrim-bench"},
		},
		{
			"what tests need is nothing that a program asks for",
			"scrim/models/testenv",
			nil,
		},
		{
			"what tests need is nothing that a program asks for",
			"scrim/transport/transporttest",
			nil,
		},
		{
			"a package with an image encoder could encode a picture that was not redacted",
			"image/jpeg",
			[]string{"scrim/pipeline/decode", "scrim/pipeline/encode"},
		},
		{
			"a package with an image encoder could encode a picture that was not redacted",
			"image/png",
			[]string{"scrim/pipeline/decode", "scrim/pipeline/encode", "scrim/redact/selftest"}, // which reads its own drawing
		},
		{
			"a wrong argument to OpenCV aborts the process: one package checks them all",
			"gocv.io/x/gocv",
			// The benchmark's peer does what people do, and is a process of its own.
			[]string{"gocv.io/x/gocv/...", "scrim/redact/cv/...", "scrim/cmd/scrim-bench/internal/gocvloop"},
		},
		{
			"FFmpeg is entered in the pipeline only",
			"github.com/asticode/go-astiav",
			[]string{"github.com/asticode/go-astiav/...", "scrim/pipeline/..."},
		},
	} {
		targets := g.matching(rule.target)
		require.NotEmpty(t, targets, "no package %s", rule.target)
		for path, p := range g {
			if p.Standard || isAnyOf(rule.allowed...)(p) {
				continue
			}
			for _, target := range targets {
				require.NotContains(t, p.Imports, target, "%s imports it: %s", path, rule.why)
			}
		}
	}
}

// Packages that may start programs do not start a redactor by themselves.
func TestRedactorsAreStartedInOnePlace(t *testing.T) {
	var files []string
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // of the repository
		if strings.Contains(string(text), "exec.Command") {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(path), "../../"))
		}
		return err
	}))
	require.Equal(t, []string{
		"cmd/internal/bench/child.go",      // rivals
		"cmd/internal/programs/camera.go",  // simulated cameras
		"cmd/scrim-bench/loops.go",         // gst-inspect
		"cmd/scrim-bench/site.go",          // scrim
		"models/testenv/probes.go",         // what a test needs
		"pipeline/redactorproc/process.go", // redactors
	}, files, "a redactor that is started elsewhere gets another environment")
}

// A Frame can only be made where its fields can be named.
func TestFrameHasNoExportedField(t *testing.T) {
	for f := range reflect.TypeFor[redact.Frame]().Fields() {
		require.False(t, f.IsExported(), f.Name)
	}
}
