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

// EnvPrefix begins the name of every variable that is taken for a setting: the
// path of the setting in capitals, with "_" for all that is no letter or digit,
// such as SCRIM_CAMERAS_HALL_URL for cameras.hall.url. Items of lists go by their
// name, or by their number from 0.
const EnvPrefix = "SCRIM_"

// ownVariables begin with EnvPrefix and are not settings. The last ones are for tests,
// which start programs with their own environment.
var ownVariables = []string{
	models.EnvDirs, pull.EnvMirror,
	"SCRIM_REQUIRE", "SCRIM_LONG", "SCRIM_ORACLE_SEEDS", "SCRIM_REMOVE_RULES", "SCRIM_SHOTS",
}

// serviceLink matches what Kubernetes sets in every container for a service that
// is called scrim or scrim-SOMETHING.
var serviceLink = regexp.MustCompile(`_(SERVICE_(HOST|PORT(_\w+)?)=.*|PORT(_\d+_(TCP|UDP|SCTP))?=\w+://.*|PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)=.*)$`)

// readVariables returns the variables that may be settings.
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
		// Whether it is one of ours is known later: until then its value is not judged.
		if read, err := newOverride(o.source, name, value); err == nil {
			o = read
		} else {
			o.wrong = err
		}
		out = append(out, o)
	}
	return out, nil
}

// environment are the variables that have not been applied yet.
type environment struct{ pending map[string]*override }

// newEnvironment leaves out variables that the configuration names as env:NAME:
// these hold the secret itself.
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

// refFinder collects the names in values of the form env:NAME.
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

// apply applies the variables of the defaults, or all others: those first that
// hold whole lists, as the names of others depend on what is in these.
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
				return &Error{File: label(key), Message: fmt.Sprintf("stands for `%s` and for `%s`; use --set PATH=VALUE", places[0].path, places[1].path)}
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

// rest returns warnings of variables that begin like settings and are none. It is
// an error where the name says that a setting was meant: what was to be hidden
// would otherwise be seen. Other programs may use the prefix, too.
func (e *environment) rest(cfg *Config) (notes []string, err error) {
	if len(e.pending) == 0 {
		return nil, nil
	}
	names := variables(cfg)
	sections := fieldsOf(reflect.ValueOf(cfg).Elem())
	for _, key := range slices.Sorted(maps.Keys(e.pending)) {
		near := nearest(key, max(1, min(len(key)/8, 3)), slices.Values(slices.Sorted(maps.Keys(names))))
		meant := near != "" || slices.ContainsFunc(sections, func(f field) bool { return strings.HasPrefix(key, EnvPrefix+capitals(f.key)+"_") })
		switch {
		case near != "":
			return nil, &Error{File: label(key), Message: "no setting has this variable; did you mean " + near + "?"}
		case meant:
			return nil, &Error{File: label(key), Message: "no setting has this variable; `scrim config env FILE` lists them"}
		}
		notes = append(notes, fmt.Sprintf("variable %s is no setting, and is not used", label(key)))
	}
	return notes, nil
}

// Variables lists the names of all variables that can override a setting of the
// configuration, each with the setting's path. Several may stand for one.
func (c *Config) Variables() map[string]string {
	out := map[string]string{}
	for name, places := range variables(c) {
		if len(places) == 1 {
			out[name] = places[0].path
		}
	}
	return out
}

// variables returns which settings a variable stands for: one, unless names differ
// only in what no variable's name can hold.
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

// capitals returns a key as variables have it.
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
