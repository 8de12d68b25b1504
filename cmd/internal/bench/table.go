package bench

import (
	"cmp"
	"fmt"
	"io"
	"scrim/pipeline/measure"
	"strconv"
)

// smallFace is the height in pixels of the smallest faces that a detector finds.
const smallFace = 12

// WriteTable prints the result as text.
func (r *Result) WriteTable(out io.Writer) error {
	p := measure.NewTable(out)
	p.Line("%s, %d cores, %s, Linux %s", r.Machine.CPU, r.Machine.Cores, r.Machine.System, r.Machine.Kernel)
	least := 0
	for _, c := range r.Source.Clips {
		faces := ""
		if c.MaxFace > 0 {
			faces = fmt.Sprintf(", faces of %d to %d pixels", c.MinFace, c.MaxFace)
			least = max(least, c.MinFace)
		}
		p.Line("%s: %d×%d, %.4g pictures a second, %d pictures, %.1f Mbit/s%s", c.Name, c.Width, c.Height, c.FPS, c.Frames, c.Bitrate/1e6, faces)
	}
	if least > smallFace {
		p.Line("faces below %d pixels are not drawn; to include them: --min-face %d --tiles", least, smallFace)
	}
	p.Line("detector %s", r.Model.Name)
	r.loops(p)
	r.latency(p)
	r.live(p)
	r.capacity(p)
	r.leaks(p)
	return p.Flush()
}

func (r *Result) loops(p *measure.Table) {
	p.Line("\nCPU time over the clip, each picture once\tms/picture\tratio\tpictures\tpeak MiB\tKB allocated")
	row := func(name string, l *Loop, ratio string) {
		p.Line("%s\t%.2f\t%s\t%d\t%.0f\t%.1f", name, l.CPU, ratio, l.Frames, l.PeakRSS, l.Bytes/1000)
	}
	if r.Offline != nil {
		ratio := ""
		if r.CPURatio.Known() && r.CPURatio > 0 {
			ratio = r.CPURatio.Plain(2) + " × baseline"
		}
		row("scrim-redactor: decode, inspect, obscure, encode", r.Offline, ratio)
		if r.Offline.Dropped > 0 {
			p.Line("  ERROR: dropped %d pictures, expected 0", r.Offline.Dropped)
		}
	}
	if r.Baseline != nil {
		row("baseline: decode, encode", r.Baseline, "")
	}
	for _, peer := range r.Peers {
		if peer.Loop == nil {
			p.Line("peer %s\tskipped: %s", peer.Name, peer.Skipped)
			continue
		}
		row("peer "+peer.Name, peer.Loop, peer.Ratio.Plain(2)+" × scrim-redactor")
	}
}

func (r *Result) latency(p *measure.Table) {
	if len(r.Stages) == 0 {
		return
	}
	p.Line("\nstage, ms\tp50\tp95\tp99\tmax\tpictures")
	sums := false
	for _, s := range r.Stages {
		name := s.Name
		if long := sumNames[name]; long != "" {
			if !sums {
				p.Line("\t\t\t\t\t")
			}
			sums, name = true, long
		}
		p.Line("%s\t%.2f\t%.2f\t%.2f\t%.2f\t%d", name, s.P50, s.P95, s.P99, s.Max, s.Count)
	}
}

// sumNames describe the sums of stages.
var sumNames = map[string]string{
	Added: "added: access unit received to redacted one published", AddedViewer: "  … to the last packet at the viewer",
	Published: "picture due to redacted one published", Viewed: "  … to the last packet at the viewer",
}

func (r *Result) live(p *measure.Table) {
	l := r.Live
	if l == nil {
		return
	}
	p.Line("\n%d cameras at their rate, %d viewers, %.0f s\t", len(l.Cameras), l.Viewers, l.Seconds)
	p.Line("pictures in, out, dropped\t%d, %d, %d", r.In, r.Out, r.Dropped)
	p.Line("CPU per picture: redactors, scrim, both\t%.2f, %.2f, %.2f ms (%.2f cores)", l.RedactorCPU, l.ScrimCPU, l.CPU, l.Cores)
	p.Line("allocated by Go code per picture: redactor, scrim\t%.1f, %.1f KB", l.RedactorBytes/1000, l.ScrimBytes/1000)
	p.Line("memory of a redactor: PSS, private, peak RSS\t%s, %.0f, %.0f MiB", pss(l.Memory.RedactorPSS), l.Memory.RedactorPrivate, l.Memory.RedactorPeak)
	p.Line("memory of scrim: peak RSS; of all: PSS\t%.0f, %s MiB", l.Memory.ScrimPeak, pss(l.Memory.Total))
	p.Line("  PSS of all in the first and the last tenth of the run\t%s, %s MiB", pss(l.Memory.Early), pss(l.Memory.Late))
	for _, c := range l.Cameras {
		p.Line("%s (%s)\t%d in, %d out, %d dropped, %d slates, %.1f/s, added p99 %.1f ms", c.Name, c.Clip, c.In, c.Out, c.Dropped, c.Slates, c.FPS, c.Added.P99)
	}
}

// pss formats a PSS, which is 0 if the kernel does not report it.
func pss(mib float64) string {
	if mib == 0 {
		return "unknown"
	}
	return strconv.FormatFloat(mib, 'f', 0, 64)
}

func (r *Result) capacity(p *measure.Table) {
	if r.Capacity == nil {
		return
	}
	p.Line("\ncameras\theld\tpictures\tdropped\texposed faces\tcores\tadded p99, ms\treason")
	for _, t := range r.Capacity.Trials {
		exposed := "unknown"
		if t.Faces > 0 {
			exposed = strconv.Itoa(t.Exposed)
		}
		p.Line("%d\t%s\t%d\t%d\t%s\t%.2f\t%.1f\t%s", t.Cameras, map[bool]string{true: "yes", false: "no"}[t.Held], t.In, t.Dropped, exposed, t.Cores, t.P99, t.Why)
	}
	more := ""
	if r.Capacity.Bounded {
		more = " or more (limited by --max-cameras)"
	}
	p.Line("most cameras without a dropped picture or exposed face\t%d%s", r.Cameras, more)
}

func (r *Result) leaks(p *measure.Table) {
	if r.Leaks == nil {
		p.Line("\nleaks\tnot measured: no truth for this video")
		return
	}
	l := r.Leaks
	p.Line("\nexposed faces\t%d of %d in %d pictures (%s), longest run %d pictures", l.Exposed, l.Faces, l.Frames, l.ExposedShare.Percent(), l.LongestRun)
	p.Line("  small, turned or hidden faces\t%d of %d", l.HardExposed, l.HardFaces)
	p.Line("mean obscured area\t%s; without a face %s", l.ObscuredArea.Percent(), l.FalseArea.Percent())
	if b := l.Bodies; b != nil {
		p.Line("trunks covered\t%d of %d, mean coverage %s", b.Covered, b.Frames, b.Coverage.Percent())
	}
	p.Line("blind\t%.1f of %.1f s; %.1f s in clear pictures", l.BlindSeconds, l.Seconds, l.FalseBlindSeconds)
	p.Line("whole picture obscured\t%.1f s", l.WholeSeconds)
	for i, run := range l.Runs[:min(len(l.Runs), 10)] {
		if i == 0 {
			p.Line("  camera\tperson\tframes\tcovered\tsize\tyaw")
		}
		p.Line("  %s\t%d\t%d–%d\t%.0f %%\t%.0f\t%s", cmp.Or(run.File, "–"), run.Person, run.First, run.Last, 100*run.Coverage, run.Size, run.Yaw.Plain(0))
	}
}
