package pipeline

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// The marker oracle. A drawn scene has a marker on every face. A detector that
// knows the truth stands for a perfect one. So if a marker is visible in an output
// picture, the policy around the detector let it through. All output is decoded, as a
// viewer would, and searched.
//
// A second check finds pictures that show no face but must not be shown either: those
// from before the gate was shut, and those that are too old.
func TestOracle(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for seed := range oracleSeeds(t) {
				// The tracker remembers faces, which may hide that a rule is missing.
				bare := seed%2 == 0
				t.Run(fmt.Sprintf("seed %d, bare tracker %v", seed, bare), func(t *testing.T) { testFault(t, &f, seed, bare) })
			}
		})
	}
}

// oracleSeeds is how many films each fault happens to: 3, or what
// SCRIM_ORACLE_SEEDS says.
func oracleSeeds(t *testing.T) uint64 {
	v := os.Getenv("SCRIM_ORACLE_SEEDS")
	if v == "" {
		return 3
	}
	n, err := strconv.ParseUint(v, 10, 16)
	require.NoError(t, err, "SCRIM_ORACLE_SEEDS")
	return n
}

// slateBound is how long viewers may be left with the last picture: half a second, plus
// two steps of the test's clock.
const slateBound = 500*time.Millisecond + 2*filmStep

func testFault(t *testing.T, f *fault, seed uint64, bare bool) {
	s := newShow(t, showOptions{seed: seed, lookahead: f.lookahead, bare: bare, size: f.size, format: f.format, reorders: f.reorders, hevc: f.hevc, slow: f.slow})
	from := time.Duration(0)
	if f.play != nil {
		s.play(filmGroup + 10) // a sound beginning
		require.NotEmpty(t, s.seen)
		from = s.since()
		f.play(s)
		if s.struck == 0 {
			s.struck = from
		}
	}
	until := s.since()
	if s.lost != "" || s.next%filmGroup != 0 {
		s.play(min(filmGroup-s.next%filmGroup, filmLength-s.next)) // what comes up to the next IDR
	}
	back := s.next
	require.Less(t, back+10, filmLength, "the fault leaves no pictures to recover with")
	s.play(filmLength - s.next)
	s.end()

	marks, first := s.hits()
	if marks > 0 {
		t.Errorf("oracle: markers: %d are visible; first %s", marks, first)
	}
	if len(s.stale) > 0 {
		t.Errorf("oracle: stale: %d pictures should not have been shown; first: %s", len(s.stale), s.stale[0])
	}
	require.GreaterOrEqual(t, len(s.seen), 50)
	s.checkStates(f, from, until, back)
	s.checkTold(f, from)
}

// checkTold checks the time of the slate, the state, the event and the count.
func (s *show) checkTold(f *fault, from time.Duration) {
	slate := func(since time.Duration) time.Duration {
		for _, v := range s.seen {
			if v.isSlate() && v.at >= since {
				return v.at
			}
		}
		return time.Hour
	}
	for _, at := range s.shuts {
		if !s.unbound {
			require.LessOrEqual(s.t, slate(at-filmStep), at+slateBound, "oracle: late: the gate was shut at %v", at)
		}
	}
	events, lost := s.story.Events()
	require.Zero(s.t, lost)
	counts := s.story.Faults()
	told, last := map[transport.Fault]uint64{}, transport.Fault("")
	for _, e := range events {
		if e.Fault != "" && e.Fault != last {
			told[e.Fault]++
		}
		last = e.Fault
	}
	require.True(s.t, maps.Equal(told, counts), "events of faults: %v, counted: %v", told, counts)
	if f.play == nil {
		require.Empty(s.t, counts)
		for i, v := range s.seen {
			require.True(s.t, i == 0 || v.State == transport.StateLive || s.seen[i-1].State != transport.StateLive,
				"a slate at %v although nothing was wrong", v.at)
		}
		return
	}
	if !f.hides {
		return
	}
	if !s.unbound {
		require.LessOrEqual(s.t, slate(s.struck), s.struck+slateBound, "oracle: late: the fault should have been noticed at %v", s.struck)
	}
	noticed := false
	for _, e := range events {
		noticed = noticed || e.State == transport.StateObscured && e.Fault == f.fault && !e.Time.Before(filmStart.Add(from))
	}
	require.True(s.t, noticed, "no event of fault %q in %v", f.fault, events)
	require.Positive(s.t, counts[f.fault])
}

// checkStates checks what viewers were told, and when.
func (s *show) checkStates(f *fault, from, until time.Duration, back int) {
	hidden, recovered, live := false, false, 0
	for i, v := range s.seen {
		if v.isSlate() {
			require.NotEmpty(s.t, v.Reason)
			hidden = hidden || v.at >= from && f.play != nil
			if f.reason != "" && v.at >= from && v.at <= until {
				require.Contains(s.t, v.Reason, f.reason)
			}
		}
		if v.State == transport.StateLive {
			live++
		}
		recovered = recovered || v.State == transport.StateLive && v.number >= s.film.first+uint32(back) //nolint:gosec // small
		if i > 0 && !s.unbound {
			require.LessOrEqual(s.t, v.at-s.seen[i-1].at, slateBound, "oracle: late: the viewer was left with an old picture at %v", v.at)
		}
	}
	require.True(s.t, recovered, "it does not recover at picture %d", back)
	if f.play == nil {
		require.Equal(s.t, filmLength, live, "pictures are missing although nothing was wrong")
	}
	if f.hides {
		require.True(s.t, hidden, "oracle: late: no slate came")
	}
}
