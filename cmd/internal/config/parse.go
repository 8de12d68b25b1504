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
)

// MaxFileBytes bounds the configuration file.
const MaxFileBytes = 256 << 10

// Error is what is wrong in a file, a variable or a flag, and where.
type Error struct {
	// File is the name as given to a Source or Parse; for a setting that comes from
	// elsewhere, the variable, or the flag with its path.
	File string
	// Line and Column count from 1; 0: the file as a whole.
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

// Parse parses and checks a file's content; name is for errors. Secrets are
// left as references: their Value is empty. Every error is an *Error.
func Parse(name string, data []byte) (*Config, error) {
	cfg, _, err := parse(name, data, nil, nil)
	return cfg, err
}

// parse decodes a file and what overrides it, and checks the whole.
func parse(name string, data []byte, vars, flags []*override) (*Config, *decoder, error) {
	root, err := document(name, data)
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{source: name, inFile: true, positions: map[string]position{}}
	env := newEnvironment(root, vars, flags)
	cfg := Default()
	// The defaults come first, wherever they stand: cameras start from them.
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

// document returns the mapping at the top of the only document, or nil for an
// empty file.
func document(name string, data []byte) (root ast.Node, err error) {
	if len(data) > MaxFileBytes {
		return nil, &Error{File: name, Message: fmt.Sprintf("longer than %d bytes", MaxFileBytes)}
	}
	if line := tooDeep(data); line > 0 {
		return nil, &Error{File: name, Line: line, Column: 1, Message: "nested deeper than any key here"}
	}
	// The parser is known to panic on some malformed input; that is an error in
	// the file, not the end of the program.
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, &Error{File: name, Message: "not a YAML file"}
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
			return nil, &Error{File: name, Message: "holds more than one YAML document"}
		}
		root = doc.Body
	}
	return root, nil
}

// maxDepth bounds the nesting of brackets and list items, in levels, and
// maxIndent that of lines, in spaces. The deepest value
// is 7 levels down.
const (
	maxDepth  = 64
	maxIndent = 256
)

// tooDeep returns the first line that is nested beyond the bounds, or 0. The
// parser's memory grows with the square of the depth: 250 kB of "[" took more
// than the machine had. Brackets within quotes are counted, too, which does no
// harm at this bound.
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
		e.Message = "not valid YAML: " + oneLine(strings.ReplaceAll(y.GetMessage(), "'\t'", "tab"))
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	return e
}

// oneLine makes text of others fit for one line of an error.
func oneLine(s string) string {
	const maxBytes = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxBytes {
		s = strings.ToValidUTF8(s[:maxBytes], "") + "…"
	}
	return s
}

// readBounded reads a file of at most limit bytes. Anything but a regular file
// is refused: a pipe or device might never end.
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
