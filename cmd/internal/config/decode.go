package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// defaultsKey is the key of the settings that all cameras start from.
const defaultsKey = "defaults"

// position is where a value was set: in the file, at a line and column from 1, or by
// a variable or flag.
type position struct {
	source       string
	line, column int
}

// String is the position without the file's name.
func (p position) String() string {
	if p.line == 0 {
		return "by " + p.source
	}
	return fmt.Sprintf("in line %d", p.line)
}

// decoder walks the syntax tree and the configuration's types together. The
// library's own strict decoder ignores keys without a value, converts between kinds
// and reports one of several unknown keys at random. A privacy setting must not be
// lost that way.
type decoder struct {
	// source is the file (inFile), variable or flag that is being decoded.
	source string
	inFile bool
	// positions of all values that were set, by path ("cameras[1].name").
	positions map[string]position
	// camera holds the settings that every camera starts from.
	camera Camera
}

// fail returns an *Error at a node.
func (d *decoder) fail(n ast.Node, format string, args ...any) error {
	p := d.positionOf(n)
	return &Error{File: p.source, Line: p.line, Column: p.column, Message: fmt.Sprintf(format, args...)}
}

// failAt returns an *Error at the value of a path, or at the nearest enclosing value
// that was set.
func (d *decoder) failAt(path, format string, args ...any) error {
	e := &Error{File: d.source, Message: fmt.Sprintf(format, args...)}
	for {
		if p, ok := d.positions[path]; ok {
			e.File, e.Line, e.Column = p.source, p.line, p.column
			return e
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return e
		}
		path = path[:i]
	}
}

func (d *decoder) positionOf(n ast.Node) position {
	if !d.inFile {
		return position{source: d.source}
	}
	var t *token.Token
	if m, ok := n.(ast.MapNode); ok {
		// A mapping's own token is a colon; it starts at its first key.
		if it := m.MapRange(); it.Next() {
			t = it.Key().GetToken()
		}
	}
	if t == nil {
		t = n.GetToken()
	}
	if t == nil || t.Position == nil {
		return position{source: d.source}
	}
	return position{d.source, t.Position.Line, t.Position.Column}
}

func (d *decoder) value(path string, n ast.Node, v reflect.Value) error {
	switch n.(type) {
	case *ast.NullNode:
		return d.fail(n, "`%s` has no value; set or remove it", path)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return d.fail(n, "YAML anchors, aliases and tags are not supported; write the value out, or put it into `defaults`")
	}
	d.positions[path] = d.positionOf(n)
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		text, err := d.scalar(path, n)
		if err != nil {
			return err
		}
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return d.fail(n, "`%s`: %s", path, oneLine(err.Error()))
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.mapping(path, n, v)
	case reflect.Slice:
		return d.sequence(path, n, v)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return d.fail(n, "`%s` must be true or false", path)
		}
		v.SetBool(b.Value)
		return nil
	default: // string
		text, err := d.scalar(path, n)
		v.SetString(text)
		return err
	}
}

// scalar returns the text of a plain, quoted or block value.
func (d *decoder) scalar(path string, n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", d.fail(n, "`%s` must be a single value, not a list or mapping", path)
}

func (d *decoder) sequence(path string, n ast.Node, v reflect.Value) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return d.fail(n, "`%s` must be a list", path)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		elem := v.Index(i)
		if c, ok := reflect.TypeAssert[*Camera](elem.Addr()); ok {
			*c = d.camera
		}
		if err := d.value(fmt.Sprintf("%s[%d]", path, i), item, elem); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) mapping(path string, n ast.Node, v reflect.Value) error {
	m, ok := n.(ast.MapNode)
	if !ok {
		if path == "" {
			return d.fail(n, "file must hold keys and values, such as `site: plant-1`")
		}
		return d.fail(n, "`%s` must hold keys and values", path)
	}
	fields := fieldsOf(v)
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		if it.Key().IsMergeKey() {
			return d.fail(it.Key(), "YAML merge keys are not supported; put common values into `defaults`")
		}
		key := it.Key().GetToken().Value
		f := fieldNamed(fields, key)
		if f == nil {
			return d.fail(it.Key(), "unknown key %s%s", quoteKey(key), suggest(key, fields))
		}
		if seen[key] {
			return d.fail(it.Key(), "duplicate key `%s`", key)
		}
		seen[key] = true
		if path == "" && key == defaultsKey {
			continue // decoded first
		}
		sub := join(path, key)
		if _, null := it.Value().(*ast.NullNode); null {
			// Report it at the key: an absent value has no position.
			return d.fail(it.Key(), "`%s` has no value; set or remove it", sub)
		}
		if err := d.value(sub, it.Value(), f.value); err != nil {
			return err
		}
	}
	return nil
}

// field is one key of a struct.
type field struct {
	key   string
	value reflect.Value
	// owner is the struct that defines it.
	owner reflect.Type
	// required reports whether the file must have it.
	required bool
}

// fieldsOf lists the keys of a struct and its inline structs in the order of their
// definition.
func fieldsOf(v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		switch tag {
		case "":
			continue
		case ",inline":
			out = append(out, fieldsOf(v.Field(i))...)
			continue
		}
		out = append(out, field{tag, v.Field(i), v.Type(), v.Type().Field(i).Tag.Get("schema") == "required"})
	}
	return out
}

// fieldNamed returns the field with a key, or nil.
func fieldNamed(fields []field, key string) *field {
	if i := slices.IndexFunc(fields, func(f field) bool { return f.key == key }); i >= 0 {
		return &fields[i]
	}
	return nil
}

// isText reports whether a value is decoded from a single scalar.
func isText(v reflect.Value) bool {
	_, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return ok
}

// lookup returns the value of a key of a mapping, or nil.
func lookup(n ast.Node, key string) ast.Node {
	m, ok := n.(ast.MapNode)
	if !ok {
		return nil
	}
	for it := m.MapRange(); it.Next(); {
		if it.Key().GetToken().Value == key {
			return it.Value()
		}
	}
	return nil
}
