package pipeline

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// The marker oracle. A drawn scene has a marker on every face. A detector that
// knows the truth stands for a perfect one, so whatever is to be seen of a
// marker in an output picture was let through by the policy around it. All
// output is decoded, as a viewer would, and searched.
//
// A second look catches what shows no face and should not be shown either: a
// picture of before the gate was shut, or one that is too old.
func TestOracle(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for seed := range oracleSeeds(t) {
				// The tracker remembers faces, and may so hide that a guard is missing.
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

// slateBound is how long after the last picture the viewer may be left with it:
// half a second, and the step of the test's clock twice.
const slateBound = 500*time.Millisecond + 2*filmStep

func testFault(t *testing.T, f *fault, seed uint64, bare bool) {
	s := newShow(t, showOptions{seed: seed, lookahead: f.lookahead, bare: bare, size: f.size, format: f.format, reorders: f.reorders})
	from := time.Duration(0)
	if f.play != nil {
		s.play(filmGroup + 10) // a sound beginning
		require.NotEmpty(t, s.seen)
		from = s.since()
		f.play(s)
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
		t.Errorf("oracle: markers: %d are to be seen; first %s", marks, first)
	}
	if len(s.stale) > 0 {
		t.Errorf("oracle: stale: %d pictures should not have been shown; first: %s", len(s.stale), s.stale[0])
	}
	require.GreaterOrEqual(t, len(s.seen), 50)
	s.checkStates(f, from, until, back)
}

// checkStates looks at what viewers were told, and when.
func (s *show) checkStates(f *fault, from, until time.Duration, back int) {
	hidden, recovered, live := false, false, 0
	for i, v := range s.seen {
		if v.State == transport.StateObscured {
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
			require.LessOrEqual(s.t, v.at-s.seen[i-1].at, slateBound, "the viewer was left with an old picture at %v", v.at)
		}
	}
	require.True(s.t, recovered, "it does not recover at picture %d", back)
	if f.play == nil {
		require.Equal(s.t, filmLength, live, "pictures are missing although nothing was wrong")
	}
	if f.hides {
		require.True(s.t, hidden, "no slate came")
	}
}
