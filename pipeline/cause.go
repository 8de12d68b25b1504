package pipeline

import (
	"scrim/redact"
	"scrim/transport"
)

// What viewers are told while no picture is shown, apart from what package redact,
// the camera and the decoder report.
var (
	causeStarting = redact.Cause{Text: "starting"}
	causeWaiting  = redact.Cause{Text: "waiting for a key frame from the camera"}
	causeStalled  = cause(transport.FaultStall, "no pictures from the camera")
	causeOverflow = cause(transport.FaultOverflow, "the redactor is too slow: pictures are dropped")
	causeFormat   = cause(transport.FaultFormat, "the camera's picture format has changed")
)

// cause returns a redact.Cause of one of the faults that viewers know. The kinds of
// package redact are among them.
func cause(fault transport.Fault, text string) redact.Cause {
	return redact.Cause{Fault: redact.Fault(fault), Text: text}
}

// gapCause returns why a gap in the input shuts the gate. Before the first picture is
// shown units wait for the redactor to start, so that the worker drops some; that is
// not a fault.
func gapCause(g transport.Gap, anyShown bool) redact.Cause {
	switch g.Kind {
	case transport.GapConnected:
		return causeWaiting
	case transport.GapRestarted:
		return redact.Cause{Text: g.Text}
	case transport.GapLate:
		if anyShown {
			return cause(transport.FaultOverflow, g.Text)
		}
		return redact.Cause{Text: g.Text}
	default:
		return cause(transport.FaultLoss, g.Text)
	}
}
