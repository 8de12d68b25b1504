package bench

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Difference is a condition in which two results differ.
type Difference struct {
	What string
	A, B string
	// Fatal means that the figures are not comparable.
	Fatal bool
}

func (d Difference) String() string { return fmt.Sprintf("%s: %s and %s", d.What, d.A, d.B) }

// harmless are settings that change the precision of figures, but not their meaning.
var harmless = []string{"repeat"}

// differences lists the conditions that make figures incomparable, and those that may
// explain a difference.
func differences(a, b *Result) []Difference {
	var out []Difference
	add := func(fatal bool, what string, x, y any) {
		if s, t := fmt.Sprint(x), fmt.Sprint(y); s != t {
			out = append(out, Difference{What: what, A: s, B: t, Fatal: fatal})
		}
	}
	add(true, "mode", a.Mode, b.Mode)
	add(true, "source", a.Source.identity(), b.Source.identity())
	if a.Mode == b.Mode && a.Mode != "capacity" {
		add(true, "cameras", a.Cameras, b.Cameras)
	}
	add(true, "model", a.Model.SHA256, b.Model.SHA256)
	x, vectorsX := a.Model.Engine()
	y, vectorsY := b.Model.Engine()
	add(true, "engine", x, y)
	if x == y {
		add(false, "instruction set", vectorsX, vectorsY)
	}
	for _, name := range keys(a.Settings, b.Settings) {
		add(!slices.Contains(harmless, name), "setting "+name, a.Settings[name], b.Settings[name])
	}
	add(false, "machine", a.Machine.name(), b.Machine.name())
	add(false, "kernel", a.Machine.Kernel, b.Machine.Kernel)
	add(false, "system", a.Machine.System, b.Machine.System)
	for _, name := range keys(a.Versions, b.Versions) {
		add(false, "version of "+name, a.Versions[name], b.Versions[name])
	}
	for _, name := range allMeasures() {
		if len(a.Runs[name]) == 0 && len(b.Runs[name]) > 0 {
			out = append(out, Difference{What: name, A: "not measured", B: fmt.Sprintf("%.4g", median(b.Runs[name]))})
		}
	}
	return out
}

// allMeasures returns the names of all measures and constraints.
func allMeasures() []string {
	out := slices.Clone(measures)
	for _, c := range constraints {
		out = append(out, c.name)
	}
	return out
}

// keys returns the sorted keys of both maps.
func keys[V any](a, b map[string]V) []string {
	all := make(map[string]bool, len(a))
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// name identifies the machine.
func (m *Machine) name() string { return fmt.Sprintf("%s, %d cores", m.CPU, m.Cores) }

// identity is the part of a source that must be the same. A camera never sends the
// same video twice, so only the size and the rate of its pictures count.
func (s Source) identity() Source {
	if s.URL == "" {
		return s
	}
	s.Clips = slices.Clone(s.Clips)
	for i := range s.Clips {
		s.Clips[i].Bitrate, s.Clips[i].Frames, s.Clips[i].FPS = 0, 0, math.Round(s.Clips[i].FPS)
	}
	return s
}
