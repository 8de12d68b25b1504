package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
	"scrim/transport"
	"scrim/transport/bus"
)

// repository is the root of the repository, as seen from this package.
const repository = "../.."

// page is one Markdown page.
type page struct {
	path  string // in the repository
	text  string
	spans []string // code within text
	code  []block
}

// block is a fenced piece of code.
type block struct{ language, text string }

var (
	fenceRE   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	spanRE    = regexp.MustCompile("`([^`\n]+)`")
	linkRE    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingRE = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// pages reads all Markdown pages of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	cmd.Dir = repository
	out, err := cmd.Output()
	require.NoError(t, err)
	var list []page
	for name := range strings.FieldsSeq(string(out)) {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		p := page{path: name}
		for _, m := range fenceRE.FindAllStringSubmatch(string(text), -1) {
			p.code = append(p.code, block{m[1], strings.ReplaceAll(m[2], "\\\n", " ")})
		}
		p.text = fenceRE.ReplaceAllString(string(text), "")
		for _, m := range spanRE.FindAllStringSubmatch(p.text, -1) {
			p.spans = append(p.spans, m[1])
		}
		list = append(list, p)
	}
	require.NotEmpty(t, list)
	return list
}

// slug is the anchor of a heading, as GitHub makes it.
func slug(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, strings.ToLower(heading))
	return kept
}

func TestLinksBetweenPagesResolve(t *testing.T) {
	list := pages(t)
	anchors := map[string][]string{}
	for _, p := range list {
		for _, m := range headingRE.FindAllStringSubmatch(p.text, -1) {
			anchors[p.path] = append(anchors[p.path], slug(m[1]))
		}
	}
	for _, p := range list {
		for _, m := range linkRE.FindAllStringSubmatch(spanRE.ReplaceAllString(p.text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := p.path
			if file != "" {
				target = path.Join(path.Dir(p.path), file)
			}
			_, err := os.Stat(filepath.Join(repository, target))
			assert.NoError(t, err, "%s links to %s", p.path, m[1])
			if anchor != "" {
				assert.Contains(t, anchors[target], anchor, "%s links to %s", p.path, m[1])
			}
		}
	}
}

func TestPagesAreShort(t *testing.T) {
	for name, limit := range map[string]int{"README.md": 120, "docs/architecture.md": 200} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		require.NoError(t, err)
		assert.LessOrEqual(t, strings.Count(string(text), "\n"), limit, name)
	}
}

// pathRE matches what is a path in the repository, if it is one at all.
var (
	pathRE     = regexp.MustCompile(`^(\.ci|cmd|deploy|docs|models|pipeline|redact|transport)(/[\w.*-]+)+/?$`)
	functionRE = regexp.MustCompile(`^([\w./-]+\.go): ([\w.]+)$`)
)

func TestFilesThatPagesNameExist(t *testing.T) {
	for _, p := range pages(t) {
		for _, s := range p.spans {
			if !pathRE.MatchString(s) {
				continue
			}
			found, err := filepath.Glob(filepath.Join(repository, s))
			require.NoError(t, err, s)
			assert.NotEmpty(t, found, "%s names %s", p.path, s)
		}
	}
}

// Functions are named as `file.go: Type.method`; the way of a frame consists of them.
func TestFunctionsThatPagesNameExist(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		for _, s := range p.spans {
			m := functionRE.FindStringSubmatch(s)
			if m == nil {
				continue
			}
			seen++
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repository, m[1]), nil, parser.SkipObjectResolution)
			if assert.NoError(t, err, "%s names %s", p.path, s) {
				assert.Contains(t, functions(f), m[2], "%s names %s", p.path, s)
			}
		}
	}
	require.Greater(t, seen, 10)
}

// functions lists the functions of a file, methods as Type.method.
func functions(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			of := fn.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if index, ok := of.(*ast.IndexExpr); ok {
				of = index.X
			}
			name = fmt.Sprint(of) + "." + name
		}
		names = append(names, name)
	}
	return names
}

// The map of packages names every package, or one above it that is not an area.
func TestPackagesOfTheArchitecturePageAreAll(t *testing.T) {
	named := map[string]bool{}
	for _, p := range pages(t) {
		if p.path == "docs/architecture.md" {
			for _, s := range p.spans {
				named[s] = true
			}
		}
	}
	for name := range listPackages(t) {
		name, ours := strings.CutPrefix(name, "scrim/")
		if !ours || strings.Contains(name, "internal/") {
			continue
		}
		found := named[name]
		for above := path.Dir(name); strings.Contains(above, "/"); above = path.Dir(above) {
			found = found || named[above]
		}
		assert.True(t, found, name)
	}
}

// goCode is all Go code of the repository.
func goCode(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(repository, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		text, err := os.ReadFile(name)
		b.Write(text)
		return err
	})
	require.NoError(t, err)
	return b.String()
}

func TestTestsThatPagesNameExist(t *testing.T) {
	code := goCode(t)
	name := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)
	for _, p := range pages(t) {
		text := p.text
		for _, b := range p.code {
			text += b.text
		}
		for _, s := range name.FindAllString(text, -1) {
			if s == "TestGate" || strings.HasPrefix(s, "TestFaceEntering") { // a pattern, an example of a name
				continue
			}
			assert.True(t, strings.Contains(code, "func "+s+"("), "%s names %s", p.path, s)
		}
	}
}

func TestVariablesThatPagesNameExist(t *testing.T) {
	code := goCode(t)
	name := regexp.MustCompile(`\bSCRIM_[A-Z_]+`)
	known := []string{"SCRIM_NATS_URL", "SCRIM_NATS_USER", "SCRIM_CAMERAS_HALL_TRANSPORT", "SCRIM_SHOTS"} // settings; what was renamed
	for _, p := range pages(t) {
		text := p.text
		for _, b := range p.code {
			text += b.text
		}
		for _, s := range name.FindAllString(text, -1) {
			if !slices.Contains(known, s) && !strings.HasSuffix(s, "_") {
				assert.True(t, strings.Contains(code, `"`+s+`"`), "%s names %s", p.path, s)
			}
		}
	}
}

func TestMetricsThatPagesNameExist(t *testing.T) {
	code := goCode(t)
	name := regexp.MustCompile(`\bscrim_(camera|gateway)_[a-z_]+`)
	for _, p := range pages(t) {
		if p.path == "CHANGELOG.md" { // names what was before
			continue
		}
		for _, s := range name.FindAllString(p.text, -1) {
			assert.True(t, strings.Contains(code, `"`+s+`"`) || strings.Contains(code, `"`+strings.TrimPrefix(s, "scrim_camera_")+`"`),
				"%s names %s", p.path, s)
		}
	}
}

func TestFaultsThatOperationListsAreAll(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/operation.md"))
	require.NoError(t, err)
	for _, f := range transport.Faults() {
		assert.True(t, strings.Contains(string(text), "`"+string(f)+"`"), f)
	}
}

// The example of an external NATS server has the rights that each side needs.
func TestPermissionsThatControlRoomShowsAreThoseNeeded(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/control-room.md"))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "nats.conf")
	_, conf, _ := strings.Cut(string(text), "```\nauthorization")
	conf, _, _ = strings.Cut(conf, "```")
	require.NoError(t, os.WriteFile(file, []byte("authorization"+conf), 0o600))
	t.Setenv("WORKER_PASSWORD", "one")
	t.Setenv("GATEWAY_PASSWORD", "two")
	o, err := server.ProcessConfigFile(file)
	require.NoError(t, err)
	require.Len(t, o.Users, 2)
	for i, permissions := range []func(string) (*bus.Permissions, error){bus.WorkerPermissions, bus.GatewayPermissions} {
		want, err := permissions("plant-1")
		require.NoError(t, err)
		assert.ElementsMatch(t, want.Publish, o.Users[i].Permissions.Publish.Allow, o.Users[i].Username)
		assert.ElementsMatch(t, want.Subscribe, o.Users[i].Permissions.Subscribe.Allow, o.Users[i].Username)
	}
}

// flagsOf returns the flags of a program, from the tags of its options.
func flagsOf(t *testing.T, program string) (flags []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "cmd", program, "*.go"))
	require.NoError(t, err)
	if program == "scrim-bench" {
		files = append(files, filepath.Join(repository, "cmd/internal/cli/output.go"))
	}
	word := regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil || len(field.Names) == 0 {
				return true
			}
			tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
			if _, ok := tag.Lookup("help"); !ok {
				return true
			}
			flag := tag.Get("name")
			if flag == "" {
				flag = strings.ToLower(word.ReplaceAllString(field.Names[0].Name, "$1$3-$2$4"))
			}
			flags = append(flags, "--"+flag)
			if _, ok := tag.Lookup("negatable"); ok {
				flags = append(flags, "--no-"+flag)
			}
			return true
		})
	}
	require.NotEmpty(t, flags, program)
	return append(flags, "--help", "--version")
}

// commands returns the command lines of a program in a page: in its blocks of code,
// and in its text.
func (p *page) commands(program string) (lines []string) {
	begin := regexp.MustCompile(`(^|\s)bin/` + program + ` `)
	var all []string
	for _, b := range p.code {
		all = append(all, strings.Split(b.text, "\n")...)
	}
	for _, line := range append(all, p.spans...) {
		if at := begin.FindStringIndex(line); at != nil {
			lines = append(lines, strings.TrimSuffix(strings.TrimSpace(line[at[1]:]), " &"))
		}
	}
	return lines
}

func TestCommandsOfPagesParse(t *testing.T) {
	placeholder := regexp.MustCompile(`COMMAND|FILE`)
	for _, p := range pages(t) {
		if strings.HasPrefix(p.path, "models/training/") {
			continue // `--scrim bin/scrim` is a flag there
		}
		for _, line := range p.commands("scrim") {
			line, _, _ = strings.Cut(line, " #")
			line, _, _ = strings.Cut(line, " >")
			if placeholder.MatchString(line) {
				continue
			}
			var cli CLI
			parser, err := kong.New(&cli, kong.Name("scrim"))
			require.NoError(t, err)
			_, err = parser.Parse(strings.Fields(line))
			assert.NoError(t, err, "%s: scrim %s", p.path, line)
		}
	}
}

func TestFlagsThatPagesNameExist(t *testing.T) {
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	foreign := []string{ // Docker's, the redactor's own
		"--network", "--restart", "--read", "--strict", "--format",
	}
	programs := []string{"scrim", "scrim-camera", "scrim-bench"}
	all := foreign
	for _, program := range programs {
		all = append(all, flagsOf(t, program)...)
	}
	for _, p := range pages(t) {
		if strings.HasPrefix(p.path, "models/training/") {
			continue // its scripts have flags of their own
		}
		for _, s := range p.spans {
			if strings.HasPrefix(s, "--") {
				assert.Contains(t, all, flag.FindString(s), p.path)
			}
		}
		for _, program := range programs[1:] {
			known := flagsOf(t, program)
			for _, line := range p.commands(program) {
				for _, f := range flag.FindAllString(line, -1) {
					assert.Contains(t, known, f, "%s: %s %s", p.path, program, line)
				}
			}
		}
	}
}

// keys are the names of all settings.
func keys(t *testing.T) (names []string) {
	t.Helper()
	s, err := config.FileSchema()
	require.NoError(t, err)
	var walk func(s *config.Schema)
	walk = func(s *config.Schema) {
		if s == nil {
			return
		}
		for name, sub := range s.Properties {
			names = append(names, name)
			walk(sub)
		}
		walk(s.Items)
		for _, sub := range s.AnyOf {
			walk(sub)
		}
	}
	walk(s)
	return names
}

func TestSettingsThatPagesNameExist(t *testing.T) {
	known := keys(t)
	inBlock := regexp.MustCompile(`(?:^|[\s{,-])([a-z_]+):(?:\s|$)`)
	inText := regexp.MustCompile(`^(audit|cameras|defaults|detect|encode|http|nats|obscure|rtsp_server|tls)(\.[a-z_]+)+$`)
	for _, p := range pages(t) {
		for _, b := range p.code {
			if b.language != "yaml" {
				continue
			}
			for line := range strings.Lines(b.text) {
				line, _, _ = strings.Cut(line, " #")
				for _, m := range inBlock.FindAllStringSubmatch(line, -1) {
					assert.Contains(t, known, m[1], "%s: %s", p.path, line)
				}
			}
		}
		if p.path == "CHANGELOG.md" {
			continue
		}
		for _, s := range p.spans {
			if inText.MatchString(s) {
				for key := range strings.SplitSeq(s, ".") {
					assert.Contains(t, known, key, "%s names %s", p.path, s)
				}
			}
		}
	}
}

// The table of deadlines has every duration of deadlines.go, and no other.
func TestTableOfDeadlinesIsThatOfTheCode(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, filepath.Join(repository, "pipeline/worker/camera/deadlines.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	checked, err := (&types.Config{Importer: importer.ForCompiler(fset, "source", nil)}).Check("camera", fset, []*ast.File{f}, nil)
	require.NoError(t, err)
	want := map[string]string{}
	for _, name := range checked.Scope().Names() {
		c, ok := checked.Scope().Lookup(name).(*types.Const)
		if ok && c.Type().String() == "time.Duration" {
			n, _ := constant.Int64Val(c.Val())
			want[name] = time.Duration(n).String()
		}
	}
	require.NotEmpty(t, want)
	text, err := os.ReadFile(filepath.Join(repository, "docs/architecture.md"))
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "## Deadlines")
	table, _, _ = strings.Cut(table, "\n## ")
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([^|]+) \\|").FindAllStringSubmatch(table, -1) {
		names, times := strings.Split(row[1], ", "), strings.Split(row[2], ", ")
		require.Len(t, times, len(names), row[0])
		for i, name := range names {
			got[strings.Trim(name, "`")] = times[i]
		}
	}
	assert.Equal(t, want, got)
}
