package config

import (
	"reflect"
	"slices"
	"strings"
)

// Changes are the differences between two configurations. They hold the paths of
// settings, but not their values.
type Changes struct {
	// Added and Removed are cameras.
	Added, Removed []Name
	// Cameras are those in both, with the keys that differ; a changed default counts.
	Cameras map[Name][]string
	// Others are the paths of all other settings that differ. defaults and audit are
	// left out: they have no effect of their own on what runs.
	Others []string
}

// Any reports whether there is a change.
func (c *Changes) Any() bool {
	return len(c.Added)+len(c.Removed)+len(c.Cameras)+len(c.Others) > 0
}

// Compare returns the differences. Resolved secrets are compared by their values.
func Compare(before, after *Config) *Changes {
	c := &Changes{Cameras: map[Name][]string{}}
	old := map[Name]*Camera{}
	for i := range before.Cameras {
		old[before.Cameras[i].Name] = &before.Cameras[i]
	}
	for i := range after.Cameras {
		cam := &after.Cameras[i]
		was, known := old[cam.Name]
		if !known {
			c.Added = append(c.Added, cam.Name)
			continue
		}
		delete(old, cam.Name)
		if paths := differing("", reflect.ValueOf(was).Elem(), reflect.ValueOf(cam).Elem()); len(paths) > 0 {
			c.Cameras[cam.Name] = paths
		}
	}
	for i := range before.Cameras {
		if name := before.Cameras[i].Name; old[name] != nil {
			c.Removed = append(c.Removed, name)
		}
	}
	for _, path := range differing("", reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()) {
		if first, _, _ := strings.Cut(path, "."); first != "cameras" && first != defaultsKey && first != "audit" {
			c.Others = append(c.Others, path)
		}
	}
	return c
}

// differing lists the paths of values that differ, in the order of their definition.
func differing(path string, a, b reflect.Value) (out []string) {
	if !isMapping(a) {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			out = append(out, path)
		}
		return out
	}
	others := fieldsOf(b)
	for i, f := range fieldsOf(a) {
		out = append(out, differing(join(path, f.key), f.value, others[i].value)...)
	}
	return out
}

// Static lists the changed settings in Others that a program of these parts reads
// only at its start.
func (c *Changes) Static(parts Part) (out []string) {
	sections := []string{"site", "nats"}
	if parts&HTTPPart != 0 {
		sections = append(sections, "http", "rtsp_server")
	}
	for _, path := range c.Others {
		if first, _, _ := strings.Cut(path, "."); slices.Contains(sections, first) {
			out = append(out, path)
		}
	}
	return out
}

// WithStaticOf returns the configuration with the settings that are read only at the
// start taken from start.
func (c *Config) WithStaticOf(start *Config) *Config {
	out := *c
	out.Site, out.NATS, out.HTTP, out.RTSPServer = start.Site, start.NATS, start.HTTP, start.RTSPServer
	return &out
}

// Files lists the files that hold the secrets and certificates of the parts.
func (c *Config) Files(parts Part) []string {
	var out []string
	c.external(parts, func(_ string, o external) {
		if path := o.file(); path != "" && !slices.Contains(out, path) {
			out = append(out, path)
		}
	})
	return out
}
