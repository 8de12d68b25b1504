package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// override is a setting from a flag or variable, which replaces the file's.
type override struct {
	// source is its name in errors.
	source string
	// key is the path of a flag, or the name of a variable.
	key  string
	node ast.Node
	// wrong is why node is nil.
	wrong error
}

// maxOverrides bounds the variables, and the flags.
const maxOverrides = 1000

// newOverride parses the value, which is YAML.
func newOverride(source, key, value string) (*override, error) {
	node, err := document(source, []byte(value))
	if err != nil {
		e := err.(*Error) //nolint:errorlint,forcetypeassert // document returns no other
		e.Line, e.Column = 0, 0
		return nil, e
	}
	if node == nil {
		return nil, &Error{File: source, Message: "has no value; set or remove it"}
	}
	return &override{source: source, key: key, node: node}, nil
}

// readFlags reads PATH=VALUE.
func readFlags(set []string) ([]*override, error) {
	if len(set) > maxOverrides {
		return nil, &Error{File: "--set", Message: fmt.Sprintf("used %d times: at most %d are allowed", len(set), maxOverrides)}
	}
	out := make([]*override, 0, len(set))
	for _, s := range set {
		path, value, ok := strings.Cut(s, "=")
		if path = strings.TrimSpace(path); !ok || path == "" {
			// The text is not repeated: it may be a secret.
			return nil, &Error{File: "--set", Message: "write --set PATH=VALUE, such as --set nats.url=nats://hub:4222"}
		}
		o, err := newOverride("--set "+label(path), path, value)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// label returns the name of a variable or flag for errors.
func label(name string) string {
	name = clip([]byte(name))
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// override applies the variables, then the flags: those of the defaults, or all others.
func (d *decoder) override(cfg *Config, env *environment, flags []*override, defaults bool) error {
	if err := env.apply(d, cfg, defaults); err != nil {
		return err
	}
	for _, o := range flags {
		first, _, _ := strings.Cut(o.key, ".")
		if (first == defaultsKey) != defaults {
			continue
		}
		at, err := find(cfg, o)
		if err != nil {
			return err
		}
		if err := d.apply(o, at); err != nil {
			return err
		}
	}
	return nil
}

// apply decodes an override at its place. Mappings are merged; other values are
// replaced.
func (d *decoder) apply(o *override, at place) error {
	file := d.source
	d.source, d.inFile = o.source, false
	defer func() { d.source, d.inFile = file, true }()
	if at.value.Kind() == reflect.Slice {
		for path := range d.positions {
			if strings.HasPrefix(path, at.path+"[") {
				delete(d.positions, path)
			}
		}
	}
	return d.value(at.path, o.node, at.value)
}

// place is a setting: its path in the decoder's form, and its value.
type place struct {
	path  string
	value reflect.Value
}

// find returns the place of a flag's path. List items are named by their `name` or
// by [INDEX] from 0.
func find(cfg *Config, o *override) (place, error) {
	at := place{value: reflect.ValueOf(cfg).Elem()}
	fail := func(format string, args ...any) (place, error) {
		return place{}, &Error{File: o.source, Message: fmt.Sprintf(format, args...)}
	}
	for step := range strings.SplitSeq(strings.ReplaceAll(o.key, "[", ".["), ".") {
		switch {
		case isMapping(at.value):
			fields := fieldsOf(at.value)
			f := fieldNamed(fields, step)
			if f == nil {
				return fail("unknown key %s%s", quoteKey(step), suggest(step, fields))
			}
			at = place{join(at.path, step), f.value}
		case at.value.Kind() == reflect.Slice:
			i, ok := itemNamed(at.value, step)
			if !ok {
				return fail("%s", noItem(at, step))
			}
			at = place{fmt.Sprintf("%s[%d]", at.path, i), at.value.Index(i)}
		default:
			return fail("`%s` is a single value and has no key %s", at.path, quoteKey(step))
		}
	}
	return at, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// isMapping reports whether a value holds keys.
func isMapping(v reflect.Value) bool { return v.Kind() == reflect.Struct && !isText(v) }

// itemNamed returns the index of a list item by its name, or by "[INDEX]".
func itemNamed(list reflect.Value, step string) (int, bool) {
	if inner, ok := strings.CutPrefix(step, "["); ok {
		i, err := strconv.ParseUint(strings.TrimSuffix(inner, "]"), 10, 31)
		return int(i), err == nil && strings.HasSuffix(inner, "]") && i < uint64(list.Len()) //nolint:gosec // 31 bits
	}
	for i := range list.Len() {
		if nameOf(list.Index(i)) == step && step != "" {
			return i, true
		}
	}
	return 0, false
}

// nameOf returns an item's `name`, or "".
func nameOf(item reflect.Value) string {
	if !isMapping(item) {
		return ""
	}
	if f := fieldNamed(fieldsOf(item), "name"); f != nil {
		return f.value.String()
	}
	return ""
}

// noItem is the message for an unknown list item. It names the known ones.
func noItem(list place, step string) string {
	names := make([]field, 0, list.value.Len())
	for i := range list.value.Len() {
		if n := nameOf(list.value.Index(i)); n != "" {
			names = append(names, field{key: n, value: list.value.Index(i)})
		}
	}
	if strings.HasPrefix(step, "[") || len(names) == 0 {
		return fmt.Sprintf("`%s` has no item %s; it has %d, counted from [0]", list.path, quoteKey(step), list.value.Len())
	}
	return fmt.Sprintf("`%s` has no %s%s", list.path, quoteKey(step), suggest(step, names))
}
