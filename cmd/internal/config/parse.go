package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"scrim/transport"
)

// MaxFileBytes bounds the configuration file.
const MaxFileBytes = 256 << 10

// Error is a mistake in a file, a variable or a flag, with its position.
type Error struct {
	// File is the name that was passed to Source. For an override it is the
	// variable, or the flag with its path.
	File string
	// Line and Column count from 1; 0 means the whole file.
	Line, Column int
	// Message is one line.
	Message string
}

// Error returns "file:line:column: message".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// parse decodes a file, applies the overrides and checks the result; name is for errors.
// Secrets are not resolved: their Value is empty. Every error is an *Error.
func parse(name string, data []byte, vars, flags []*override) (*Config, *decoder, error) {
	root, err := document(name, data)
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{source: name, inFile: true, positions: map[string]position{}}
	env := newEnvironment(root, vars, flags)
	cfg := Default()
	// Decode the defaults first, wherever they are: cameras start from them.
	if node := lookup(root, defaultsKey); node != nil {
		if err := d.value(defaultsKey, node, reflect.ValueOf(&cfg.Defaults).Elem()); err != nil {
			return nil, nil, err
		}
	}
	if err := d.override(cfg, env, flags, true); err != nil {
		return nil, nil, err
	}
	d.camera = Camera{Settings: cfg.Defaults}
	if root != nil {
		if err := d.value("", root, reflect.ValueOf(cfg).Elem()); err != nil {
			return nil, nil, err
		}
	}
	if err := d.override(cfg, env, flags, false); err != nil {
		return nil, nil, err
	}
	if cfg.notes, err = env.rest(cfg); err != nil {
		return nil, nil, err
	}
	if err := d.check(cfg); err != nil {
		return nil, nil, err
	}
	return cfg, d, nil
}

// document returns the root node of the only document, or nil for an empty file.
func document(name string, data []byte) (root ast.Node, err error) {
	if len(data) > MaxFileBytes {
		return nil, &Error{File: name, Message: fmt.Sprintf("longer than %d bytes", MaxFileBytes)}
	}
	if line := tooDeep(data); line > 0 {
		return nil, &Error{File: name, Line: line, Column: 1, Message: "nested too deeply"}
	}
	// The parser panics on some malformed input; report that as an error in the file.
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, &Error{File: name, Message: "invalid YAML"}
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || isComment(doc.Body) {
			continue
		}
		if root != nil {
			return nil, &Error{File: name, Message: "more than one YAML document"}
		}
		root = doc.Body
	}
	return root, nil
}

// maxDepth bounds the nesting of brackets and list items, in levels; maxIndent
// bounds the indentation, in spaces. The deepest key has 7 levels.
const (
	maxDepth  = 64
	maxIndent = 256
)

// tooDeep returns the first line that is nested beyond the bounds, or 0. The
// parser's memory grows with the square of the depth: 250 kB of "[" exhausted the
// machine's. Brackets within quotes count as well, which is harmless at this bound.
func tooDeep(data []byte) int {
	depth, line := 0, 0
	for text := range bytes.Lines(data) {
		line++
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		items := bytes.Count(text, []byte("- ")) + bytes.Count(text, []byte("? ")) + bytes.Count(text, []byte(": "))
		if indent > maxIndent || items > maxDepth {
			return line
		}
		for _, c := range text {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > maxDepth {
				return line
			}
		}
	}
	return 0
}

func isComment(n ast.Node) bool {
	_, ok := n.(*ast.CommentGroupNode)
	return ok
}

func syntaxError(name string, err error) error {
	e := &Error{File: name, Message: oneLine(err.Error())}
	if y, ok := errors.AsType[yaml.Error](err); ok {
		e.Message = "invalid YAML: " + oneLine(strings.ReplaceAll(y.GetMessage(), "'\t'", "tab"))
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	return e
}

// oneLine makes one bounded line of a library's error.
func oneLine(s string) string { return transport.Plain(s, 200) }

// readBounded reads a file of at most limit bytes. Only regular files are accepted:
// a pipe or device might never end.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return os.ReadFile(path)
}
