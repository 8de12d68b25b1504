package files

import (
	"cmp"
	"errors"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
)

// treatment is what was done with a picture, and why.
type treatment struct {
	// cover is what is obscured.
	cover ipc.FileCover
	// blind is why it is not proved that the detector sees; empty: it sees.
	blind string
	// failure is why the picture is obscured whole, if not because it is blind.
	failure string
}

const (
	unknownBackground = "no background is known"
	unknownSight      = "the sight is unknown"
)

// withheldTreatment returns the treatment of a picture that is not shown.
func withheldTreatment(o redact.Outcome) treatment {
	t := treatment{cover: ipc.CoverWhole}
	var w *redact.WithheldError
	if errors.As(o.Err, &w) && w.Cause.Fault == redact.FaultBlind {
		t.blind = cmp.Or(o.Sight.Why, unknownSight)
	} else {
		t.failure = o.Err.Error()
	}
	return t
}

// shownTreatment returns the treatment of a picture that is shown as f.
func shownTreatment(cover redact.Cover, when redact.WhenBlind, f redact.Frame) treatment {
	t := treatment{cover: ipc.FileCover(cmp.Or(cover, redact.CoverFaces))}
	if v := f.Sight(); !v.Proved {
		t.blind = cmp.Or(v.Why, unknownSight)
		if when != redact.BlindWarn {
			t.cover = ipc.CoverMotion
		}
	}
	for _, r := range f.Regions() {
		if r.Source == geom.Moving && r.Track == redact.WholeTrack {
			t.cover = ipc.CoverWhole
			if t.blind == "" {
				t.failure = unknownBackground
			}
		}
	}
	return t
}

// tally counts the pictures of a file.
type tally struct {
	end ipc.FileEnd
	// inRun is set if the last picture belongs to the last of end.BlindRuns.
	inRun bool
}

// add counts the next picture, at pts in seconds.
func (c *tally) add(pts float64, t treatment) {
	end := &c.end
	end.Frames++
	if t.cover == ipc.CoverWhole {
		end.Failsafe++
		end.Reason = cmp.Or(end.Reason, t.failure)
	}
	if t.blind == "" {
		c.inRun = false
		return
	}
	end.Blind++
	n := len(end.BlindRuns)
	if c.inRun {
		if last := &end.BlindRuns[n-1]; last.Why == t.blind && last.Cover == t.cover {
			last.To = pts
			return
		}
	}
	if c.inRun = n < ipc.MaxFileBlind; c.inRun {
		end.BlindRuns = append(end.BlindRuns, ipc.FileBlind{From: pts, To: pts, Why: t.blind, Cover: t.cover})
	}
}
