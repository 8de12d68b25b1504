package bench

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Difference is what two results do not have in common besides their figures.
type Difference struct {
	What string
	A, B string
	// Fatal: the figures are about different things, and no verdict on them means
	// anything.
	Fatal bool
}

func (d Difference) String() string { return fmt.Sprintf("%s: %s and %s", d.What, d.A, d.B) }

// harmless are settings that change how well something is known, and not what.
var harmless = []string{"repeat"}

// differences names what must be the same for figures to be comparable, and what
// may explain a difference between them.
func differences(a, b *Result) []Difference {
	var out []Difference
	add := func(fatal bool, what string, x, y any) {
		if s, t := fmt.Sprint(x), fmt.Sprint(y); s != t {
			out = append(out, Difference{What: what, A: s, B: t, Fatal: fatal})
		}
	}
	add(true, "mode", a.Mode, b.Mode)
	add(true, "source", a.Source.known(), b.Source.known())
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

// allMeasures are the names of all that is compared.
func allMeasures() []string {
	out := slices.Clone(measures)
	for _, g := range guards {
		out = append(out, g.name)
	}
	return out
}

// keys lists those of two maps in order.
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

// name says which machine it is.
func (m *Machine) name() string { return fmt.Sprintf("%s, %d cores", m.CPU, m.Cores) }

// known is what must be the same of a source. A camera never sends the same
// twice; its pictures' size and rate are what is left.
func (s Source) known() Source {
	if s.URL == "" {
		return s
	}
	s.Clips = slices.Clone(s.Clips)
	for i := range s.Clips {
		s.Clips[i].Bitrate, s.Clips[i].Frames, s.Clips[i].FPS = 0, 0, math.Round(s.Clips[i].FPS)
	}
	return s
}
