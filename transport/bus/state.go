package bus

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"scrim/transport"
)

// Bounds of a status or an event. A reader keeps the last status of every camera, and
// a publisher can invent many cameras.
const (
	// maxStateBytes bounds either as JSON, in which a byte may need six.
	maxStateBytes = 48 << 10
	// maxTextBytes bounds each text except reason and warning.
	maxTextBytes = 200
	// maxIgnored bounds the zones without face detection, and maxIgnoredBytes the text
	// of each.
	maxIgnored      = 16
	maxIgnoredBytes = 180
	// maxLookahead bounds the look-ahead, in pictures.
	maxLookahead = 1000
	// maxDelayMS bounds the delay of a picture.
	maxDelayMS = 1000 * 1000
	// maxSeconds bounds a count of seconds: a thousand years.
	maxSeconds = 1000 * 365 * 24 * 60 * 60
)

// tidyStatus cleans and cuts the texts of a status.
func tidyStatus(s *transport.Status) {
	for _, text := range []*string{&s.Detector, &s.Style, &s.Source} {
		*text = transport.Plain(*text, maxTextBytes)
	}
	s.Reason, s.Warning = reason(s.Reason), reason(s.Warning)
	if s.SelfTest != nil {
		t := *s.SelfTest // the caller's stays unchanged
		t.Reason = reason(t.Reason)
		s.SelfTest = &t
	}
	if s.Sight != nil {
		t := *s.Sight
		t.Why, t.Warning, t.Tested = t.Why.Known(), reason(t.Warning), tidyTime(t.Tested)
		s.Sight = &t
	}
	s.Ignored = tidyList(s.Ignored)
	s.Sandbox, s.SandboxMissing = tidyList(s.Sandbox), tidyList(s.SandboxMissing)
	s.Updated = tidyTime(s.Updated)
	s.Fault, s.CoveredBy, s.Counters.Faults = s.Fault.Known(), s.CoveredBy.Known(), tidyFaults(s.Counters.Faults)
	s.Counters.BlindSeconds, s.BlindLastDay = tidySeconds(s.Counters.BlindSeconds), tidySeconds(s.BlindLastDay)
}

// tidyList returns a bounded copy of a list.
func tidyList(list []string) []string {
	list = slices.Clone(list[:min(len(list), maxIgnored)])
	for i := range list {
		list[i] = transport.Plain(list[i], maxIgnoredBytes)
	}
	return list
}

// tidyFaults removes unknown faults: each would become a series of metrics.
func tidyFaults(counts map[transport.Fault]uint64) map[transport.Fault]uint64 {
	counts = maps.Clone(counts) // the caller's stay unchanged
	maps.DeleteFunc(counts, func(f transport.Fault, _ uint64) bool { return f == "" || f.Known() != f })
	return counts
}

// tidySeconds removes unknown reasons, and what are no seconds.
func tidySeconds(seconds map[transport.BlindReason]float64) map[transport.BlindReason]float64 {
	seconds = maps.Clone(seconds)
	maps.DeleteFunc(seconds, func(r transport.BlindReason, s float64) bool {
		return r == "" || r.Known() != r || !(s >= 0 && s <= maxSeconds)
	})
	return seconds
}

func tidyEvent(e *transport.Event) {
	e.Reason, e.Time, e.Fault = reason(e.Reason), tidyTime(e.Time), e.Fault.Known()
	e.CoveredBy = e.CoveredBy.Known()
}

// tidyTime removes the time zone, which is useless and needs memory, and times that
// JSON cannot represent.
func tidyTime(t time.Time) time.Time {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return time.Time{}
	}
	return t
}

// checkStatus checks values that cannot be cut.
func checkStatus(s *transport.Status) error {
	switch {
	case s.Width < 0 || s.Width > transport.MaxSide || s.Height < 0 || s.Height > transport.MaxSide:
		return fmt.Errorf("size %dx%d is not within 0 to %d", s.Width, s.Height, transport.MaxSide)
	case !(s.FPS >= 0 && s.FPS <= transport.MaxFPS): // so written for NaN
		return fmt.Errorf("rate of %g pictures per second is not within 0 to %d", s.FPS, transport.MaxFPS)
	case !(s.ExpectedFPS >= 0 && s.ExpectedFPS <= transport.MaxFPS):
		return fmt.Errorf("rate of %g units per second is not within 0 to %d", s.ExpectedFPS, transport.MaxFPS)
	case s.DelayMS < 0 || s.DelayMS > maxDelayMS:
		return fmt.Errorf("delay of %d ms is not within 0 to %d", s.DelayMS, maxDelayMS)
	case s.Lookahead < 0 || s.Lookahead > maxLookahead:
		return fmt.Errorf("look-ahead of %d pictures is not within 0 to %d", s.Lookahead, maxLookahead)
	case s.Sight != nil:
		if err := s.Sight.Check(); err != nil {
			return err
		}
	}
	return checkState(s.State)
}

func checkState(s transport.State) error {
	switch s {
	case transport.StateStarting, transport.StateLive, transport.StateObscured, transport.StateBlind,
		transport.StateOffline, transport.StateFailed, transport.StateRemoved:
		return nil
	}
	return fmt.Errorf("unknown state %.20q", s)
}

// knowState turns an unknown state into StateFailed: a worker of another version may
// publish one, and then its last state must not stay on the page as live.
func knowState(s *transport.State, f *transport.Fault, reason *string) {
	if err := checkState(*s); err != nil {
		*s, *f, *reason = transport.StateFailed, transport.FaultOther, err.Error()+"; run the same version of worker and gateway"
	}
}

// parseStatus reads an untrusted status on the subject at.
func parseStatus(at Address, data []byte) (s transport.Status, err error) {
	if err := parse(at, data, &s, &s.Site, &s.Camera); err != nil {
		return transport.Status{}, err
	}
	knowState(&s.State, &s.Fault, &s.Reason)
	if err := checkStatus(&s); err != nil {
		return transport.Status{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	tidyStatus(&s)
	return s, nil
}

// parseEvent reads an untrusted event on the subject at.
func parseEvent(at Address, data []byte) (e transport.Event, err error) {
	if err := parse(at, data, &e, &e.Site, &e.Camera); err != nil {
		return transport.Event{}, err
	}
	knowState(&e.State, &e.Fault, &e.Reason)
	tidyEvent(&e)
	return e, nil
}

// parse unmarshals data into v. The names in it must be those of the subject.
func parse(at Address, data []byte, v any, site, camera *string) error {
	if len(data) > maxStateBytes {
		return fmt.Errorf("%w: %d bytes are over the limit of %d", ErrInvalid, len(data), maxStateBytes)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if *site != at.Site || *camera != at.Camera {
		return fmt.Errorf("%w: it names camera %.140q", ErrInvalid, *site+"/"+*camera)
	}
	return nil
}
