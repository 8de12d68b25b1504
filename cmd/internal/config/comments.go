package config

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// sources define the types of the file. Their comments describe all keys, in Go and
// in the schema.
//
//go:embed config.go trust.go zone.go audit.go
var sources embed.FS

// comments are the comments of all struct fields, by type and key.
type comments map[string]map[string]string

// of returns the comment of a key.
func (c comments) of(f field) string { return c[f.owner.Name()][f.key] }

// readComments parses the embedded sources.
func readComments() (comments, error) {
	out := comments{}
	files, err := fs.Glob(sources, "*.go")
	if err != nil {
		return nil, fmt.Errorf("comments: %w", err)
	}
	for _, name := range files {
		text, err := sources.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("comments: %w", err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("comments: %w", err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok {
				if s, ok := t.Type.(*ast.StructType); ok {
					out[t.Name.Name] = fieldComments(s)
				}
			}
			return true
		})
	}
	return out, nil
}

// fieldComments returns the comment of each key of a struct. A field without a
// comment shares that of the field above it.
func fieldComments(s *ast.StructType) map[string]string {
	var names []string // pairs: Go's name, the file's key
	out, last := map[string]string{}, ""
	for _, f := range s.Fields.List {
		if f.Tag == nil || len(f.Names) == 0 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		key := reflect.StructTag(tag).Get("yaml")
		if text := f.Doc.Text(); text != "" {
			last = strings.Join(strings.Fields(text), " ")
		}
		names = append(names, f.Names[0].Name, key)
		out[key] = last
	}
	for key, text := range out {
		for i := 0; i < len(names); i += 2 {
			if rest, ok := strings.CutPrefix(text, names[i]+" "); ok {
				text = names[i+1] + " " + rest
			}
			if names[i] != strings.ToUpper(names[i]) { // NATS is also a word
				text = regexp.MustCompile(`\b`+names[i]+`\b`).ReplaceAllString(text, names[i+1])
			}
		}
		out[key] = text
	}
	return out
}
