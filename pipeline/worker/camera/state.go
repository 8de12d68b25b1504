package camera

import (
	"cmp"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// input is what the machine knows about the camera's side.
type input struct {
	reason      string    // why no units come; empty while they do
	lost        bool      // the last attempt to connect failed, or the connection ended
	silentSince time.Time // the last unit, or else the start
	outage      connectionOutage
	noPicture   noPicture
}

// offline returns why the camera cannot be reached; empty if it can, or if that is not
// known yet.
func (i *input) offline(now time.Time) string {
	switch {
	case i.lost:
		return i.reason
	case !i.silentSince.IsZero() && now.Sub(i.silentSince) > silentTime:
		return "camera sends nothing"
	}
	return ""
}

// excuseStandstill leaves out time in which this program could not read units.
func (i *input) excuseStandstill(late time.Duration, now time.Time) {
	if !i.silentSince.IsZero() {
		i.silentSince = i.silentSince.Add(min(late, now.Sub(i.silentSince)))
	}
}

// slateText is what the redactor writes on its slates while no units come.
func (i *input) slateText() string {
	if i.lost {
		return "camera offline: " + i.reason
	}
	return i.reason
}

// updateState decides the camera's state by the table in the package's documentation.
func (m *machine) updateState() {
	state, fault, reason := m.state()
	m.status.coveredBy = ""
	if state == transport.StateLive || state == transport.StateBlind {
		m.status.coveredBy = m.coveredBy()
	}
	if m.status.history.Note(transport.Event{Time: m.now, State: state, Fault: fault, Reason: reason, CoveredBy: m.status.coveredBy}) {
		m.reporter.changed = true
		m.checkBlindness()
	}
}

func (m *machine) state() (transport.State, transport.Fault, string) {
	f, v, offline := m.fallback(), &m.view, m.input.offline(m.now)
	switch {
	case f != nil && f.fault == transport.FaultConfig:
		return transport.StateFailed, f.fault, f.reason
	case offline != "":
		return transport.StateOffline, transport.FaultCamera, offline
	case f == nil && v.state == transport.StateLive:
		return transport.StateLive, "", ""
	case f == nil && v.state == transport.StateBlind:
		return transport.StateBlind, transport.FaultBlind, v.reason
	case f == nil && m.units == 0, f != nil && f.fault == "":
		return transport.StateStarting, "", ""
	case f == nil && v.fault == transport.FaultCamera && m.input.reason == "": // units come again; the slate is from before
		return transport.StateObscured, "", "waiting for a key frame from the camera"
	case f == nil:
		return transport.StateObscured, v.fault, cmp.Or(m.input.reason, v.reason)
	case len(m.slates.list(f.kind, false)) == 0:
		return transport.StateFailed, f.fault, f.reason
	}
	return transport.StateObscured, f.fault, f.reason
}

// fallback returns why viewers get prepared slates now, and which; nil: they get the
// redactor's output.
func (m *machine) fallback() *fallback {
	f := m.view.fallback
	if offline := m.input.offline(m.now); offline != "" && f != nil && f.fault != transport.FaultConfig {
		return &fallback{ipc.SlateOffline, transport.FaultCamera, offline}
	}
	return f
}
