package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"scrim/models"
	"scrim/models/pull"
)

// EnvPrefix begins the name of every variable that overrides a setting. The rest is
// the setting's path in capitals, with "_" for all other characters, such as
// SCRIM_CAMERAS_HALL_URL for cameras.hall.url. List items are named by their name, or
// by their index from 0.
const EnvPrefix = "SCRIM_"

// ownVariables begin with EnvPrefix but are not settings. The last line is read by
// tests, which start programs with their own environment.
var ownVariables = []string{
	models.EnvDirs, pull.EnvMirror,
	"SCRIM_REQUIRE", "SCRIM_LONG", "SCRIM_ORACLE_SEEDS", "SCRIM_REMOVE_RULES", "SCRIM_SCREENSHOTS",
}

// serviceLink matches the variables that Kubernetes sets in every container for a
// service named scrim or scrim-SOMETHING.
var serviceLink = regexp.MustCompile(`_(SERVICE_(HOST|PORT(_\w+)?)=.*|PORT(_\d+_(TCP|UDP|SCTP))?=\w+://.*|PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)=.*)$`)

// readVariables returns the variables that may override settings.
func readVariables(environ []string) ([]*override, error) {
	var out []*override
	for _, text := range environ {
		name, value, _ := strings.Cut(text, "=")
		if !strings.HasPrefix(name, EnvPrefix) || slices.Contains(ownVariables, name) || serviceLink.MatchString(text) {
			continue
		}
		if len(out) == maxOverrides {
			return nil, &Error{File: "environment", Message: fmt.Sprintf("more than %d variables begin with %s", maxOverrides, EnvPrefix)}
		}
		o := &override{source: label(name), key: name}
		// Keep the error until it is known whether the variable is a setting.
		if read, err := newOverride(o.source, name, value); err == nil {
			o = read
		} else {
			o.wrong = err
		}
		out = append(out, o)
	}
	return out, nil
}

// environment holds the variables that are not applied yet, by name.
type environment struct{ pending map[string]*override }

// newEnvironment leaves out variables that the configuration refers to as env:NAME:
// they hold a secret.
func newEnvironment(root ast.Node, vars, flags []*override) *environment {
	e := &environment{pending: make(map[string]*override, len(vars))}
	for _, o := range vars {
		e.pending[o.key] = o
	}
	holders := refFinder{}
	if root != nil {
		ast.Walk(holders, root)
	}
	for _, o := range slices.Concat(vars, flags) {
		if o.node != nil {
			ast.Walk(holders, o.node)
		}
	}
	for name := range holders {
		delete(e.pending, name)
	}
	return e
}

// refFinder collects the names of all env:NAME values.
type refFinder map[string]bool

// Visit implements ast.Visitor.
func (r refFinder) Visit(n ast.Node) ast.Visitor {
	if s, ok := n.(*ast.StringNode); ok {
		if name, ok := strings.CutPrefix(s.Value, "env:"); ok {
			r[name] = true
		}
	}
	return r
}

// apply applies the variables of the defaults, or all others. Those of whole lists
// come first: the names of the other variables depend on the items.
func (e *environment) apply(d *decoder, cfg *Config, defaults bool) error {
	for len(e.pending) > 0 {
		names := variables(cfg)
		var next *override
		var at place
		for _, key := range slices.Sorted(maps.Keys(e.pending)) {
			places := names[key]
			switch {
			case len(places) == 0 || isDefault(places[0].path) != defaults:
				continue
			case len(places) > 1:
				return &Error{File: label(key), Message: fmt.Sprintf("ambiguous: sets `%s` or `%s`; use --set PATH=VALUE", places[0].path, places[1].path)}
			}
			if next == nil || steps(places[0].path) < steps(at.path) {
				next, at = e.pending[key], places[0]
			}
		}
		if next == nil {
			return nil
		}
		if next.wrong != nil {
			return next.wrong
		}
		if err := d.apply(next, at); err != nil {
			return err
		}
		delete(e.pending, next.key)
	}
	return nil
}

func isDefault(path string) bool {
	return path == defaultsKey || strings.HasPrefix(path, defaultsKey+".")
}

func steps(path string) int { return strings.Count(path, ".") + strings.Count(path, "[") }

// rest returns a warning for each variable that has the prefix but is not a setting:
// other programs may use the prefix. A name that looks like a setting is an error,
// because ignoring it could show what should be hidden.
func (e *environment) rest(cfg *Config) (notes []string, err error) {
	if len(e.pending) == 0 {
		return nil, nil
	}
	names := variables(cfg)
	sections := fieldsOf(reflect.ValueOf(cfg).Elem())
	for _, key := range slices.Sorted(maps.Keys(e.pending)) {
		near := nearest(key, max(1, min(len(key)/8, 3)), slices.Sorted(maps.Keys(names)))
		meant := near != "" || slices.ContainsFunc(sections, func(f field) bool { return strings.HasPrefix(key, EnvPrefix+capitals(f.key)+"_") })
		switch {
		case near != "":
			return nil, &Error{File: label(key), Message: "unknown variable; did you mean " + near + "?"}
		case meant:
			return nil, &Error{File: label(key), Message: "unknown variable; `scrim config env FILE` lists them"}
		}
		notes = append(notes, fmt.Sprintf("ignoring variable %s, which is not a setting", label(key)))
	}
	return notes, nil
}

// Variables returns all variables that can override a setting of the configuration,
// with the setting's path. A setting may have several.
func (c *Config) Variables() map[string]string {
	out := map[string]string{}
	for name, places := range variables(c) {
		if len(places) == 1 {
			out[name] = places[0].path
		}
	}
	return out
}

// variables returns the settings of each variable: one, unless names differ only in
// characters that the name of a variable cannot have.
func variables(cfg *Config) map[string][]place {
	out := map[string][]place{}
	var walk func(name string, at place)
	walk = func(name string, at place) {
		if at.path != "" && !slices.ContainsFunc(out[name], func(p place) bool { return p.path == at.path }) {
			out[name] = append(out[name], at)
		}
		switch {
		case isMapping(at.value):
			for _, f := range fieldsOf(at.value) {
				walk(strings.TrimPrefix(name+"_"+capitals(f.key), "_"), place{join(at.path, f.key), f.value})
			}
		case at.value.Kind() == reflect.Slice:
			for i := range at.value.Len() {
				item := place{fmt.Sprintf("%s[%d]", at.path, i), at.value.Index(i)}
				if !isMapping(item.value) {
					break
				}
				walk(name+"_"+strconv.Itoa(i), item)
				if key := nameOf(item.value); key != "" {
					walk(name+"_"+capitals(key), item)
				}
			}
		}
	}
	walk(strings.TrimSuffix(EnvPrefix, "_"), place{value: reflect.ValueOf(cfg).Elem()})
	return out
}

// capitals returns a key as it appears in the name of a variable.
func capitals(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
}
