package testenv

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rapid's own Skip drops an input that does not fit, and not a test.
var filters = []string{"redact/zone/zone_test.go", "redact/obscure/property_test.go"}

func TestTestsAreSkippedByConditionsOnly(t *testing.T) {
	dir, err := root()
	require.NoError(t, err)
	seen := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != dir {
			return errorOrSkip(err)
		}
		if d.IsDir() && d.Name() == "bin" {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		rel = filepath.ToSlash(rel)
		if !strings.HasSuffix(path, "_test.go") || slices.Contains(filters, rel) || strings.HasPrefix(rel, "models/testenv/") {
			return nil
		}
		seen++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
				if x, ok := s.X.(*ast.Ident); ok && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) {
					t.Errorf("%s skips by hand: use testenv.Need, and add a condition if there is none", rel)
				}
			}
			return true
		})
		return nil
	}))
	require.Greater(t, seen, 100, "the tests were looked at")
}

func errorOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}
