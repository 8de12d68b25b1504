package sight

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/condition"
)

// good is the condition of a picture in good light.
var good = condition.Condition{Dark: 12, Median: 110, Bright: 230, Contrast: 50, Noise: 1.5, Blur: 0.8, Clipped: 0.01}

// begin is where virtual time begins.
var begin = time.Unix(1_700_000_000, 0)

// rig feeds a judge with pictures, 25 a second.
type rig struct {
	judge
	at    time.Time
	tests int
	blind bool
	// scenes is the number of the scene that is shown.
	scenes uint64
}

func newRig() *rig { return &rig{judge: newJudge(DefaultInterval, false), at: begin} }

// showing returns the structure of one of several scenes.
func showing(number uint64) (s structure) {
	r := rand.New(rand.NewPCG(number, 1)) //nolint:gosec // a test
	s.known = true
	for i := range s.mean {
		s.mean[i] = int16(r.IntN(256))
	}
	return s
}

// picture feeds one picture; a test passes if passes says so.
func (r *rig) picture(is condition.Condition, moved, passes bool) (proved, tested bool) {
	r.scenes = max(r.scenes, 1)
	if moved {
		r.scenes++
	}
	o := observation{at: r.at, is: is, empty: empty(is), shows: showing(r.scenes)}
	if tested = r.due(o); tested {
		r.tests++
		if passes {
			r.passed(o)
		} else {
			r.missed(o)
		}
	}
	proved, r.blind = r.conclude(o)
	r.at = r.at.Add(40 * time.Millisecond)
	return proved, tested
}

// run feeds pictures for some time and returns in how many the sight was proved.
func (r *rig) run(d time.Duration, is condition.Condition, passes bool) (proved, pictures int) {
	for end := r.at.Add(d); r.at.Before(end); pictures++ {
		if p, _ := r.picture(is, false, passes); p {
			proved++
		}
	}
	return proved, pictures
}

func TestFirstPictureIsTestedAndProvedByIt(t *testing.T) {
	r := newRig()
	proved, tested := r.picture(good, false, true)
	require.True(t, proved && tested)
	require.False(t, r.blind)
	r = newRig()
	proved, tested = r.picture(good, false, false)
	require.True(t, tested)
	require.False(t, proved)
	require.False(t, r.blind, "the word waits")
}

func TestWhatIsWorseIsNotProvedInThatPicture(t *testing.T) {
	for name, change := range map[string]func(*condition.Condition){
		"light off": func(c *condition.Condition) { c.Dark, c.Median, c.Bright = 2, 20, 70 },
		"lamp on":   func(c *condition.Condition) { c.Median, c.Clipped = 200, 0.4 },
		"noise":     func(c *condition.Condition) { c.Noise = 6 },
		"defocused": func(c *condition.Condition) { c.Blur = 3 },
		"no edges":  func(c *condition.Condition) { c.Blur = 0 },
		"fog":       func(c *condition.Condition) { c.Dark, c.Bright, c.Contrast = 100, 160, 12 },
		"headlight": func(c *condition.Condition) { c.Clipped = 0.2 },
		"covered": func(c *condition.Condition) {
			*c = condition.Condition{Dark: 60, Median: 61, Bright: 62, Contrast: 0.3}
		},
		"scene moved":    nil,
		"nearly the old": func(c *condition.Condition) { c.Noise, c.Median, c.Blur = 2, 100, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			r.run(time.Second, good, true)
			is := good
			if change != nil {
				change(&is)
			}
			r.last = r.at // the last test was just now: no other may run yet
			proved, tested := r.picture(is, change == nil, true)
			require.False(t, tested)
			require.Equal(t, name == "nearly the old", proved)
			for range 20 {
				proved, tested = r.picture(is, false, true)
				if tested {
					break
				}
			}
			require.Equal(t, name != "nearly the old" && name != "covered", tested, "it is tested at once")
			require.Equal(t, name != "covered", proved, "and proved by that test, in that picture")
		})
	}
}

// Where time does not matter no picture waits for its test.
func TestEveryChangeIsTestedAtOnceWhereTimeDoesNotMatter(t *testing.T) {
	r := newRig()
	r.atOnce = true
	r.run(time.Second, good, true)
	for n := range 200 {
		proved, tested := r.picture(good, true, true)
		require.True(t, proved && tested, "change %d", n)
	}
}

func TestPictureIsTestedAgainWhereTimeDoesNotMatter(t *testing.T) {
	r := newRig()
	r.atOnce = true
	for n, passes := range []bool{false, true, true} {
		r.at = begin
		proved, tested := r.picture(good, false, passes)
		require.True(t, tested)
		require.Equal(t, n == 2, proved, "two tests in a row must pass")
	}
	r = newRig()
	for range 2 {
		r.at = begin
		_, tested := r.picture(good, false, false)
		require.Equal(t, r.tests == 1 && tested, tested, "a camera's picture is tested once")
	}
	require.Equal(t, 1, r.tests)
}

func TestFailedTestUncoversNothingUntilTwoPassed(t *testing.T) {
	r := newRig()
	r.run(10*time.Second, good, true)
	require.InDelta(t, 1, r.shrink(), 0)
	proved, _ := r.run(10*time.Second, good, false)
	require.Less(t, proved, 1, "the regular test failed in the first picture")
	require.True(t, r.blind)
	require.InDelta(t, returnFactor, r.shrink(), 0, "the return needs a better sight")
	before := r.tests
	for r.tests < before+returnPasses {
		proved, _ := r.picture(good, false, true)
		require.False(t, proved)
	}
	n, all := r.run(leastHold-40*time.Millisecond, good, true)
	require.Zero(t, n, "it is held for a while, of %d", all)
	back, _ := r.picture(good, false, true)
	require.True(t, back)
	require.True(t, r.blind, "the word stays")
	r.run(blindTime+40*time.Millisecond, good, true)
	require.False(t, r.blind)
}

func TestBlindAfterTwoSecondsAndNotBefore(t *testing.T) {
	r := newRig()
	r.run(time.Second, good, true)
	dark := good
	dark.Median, dark.Bright, dark.Dark = 5, 20, 0
	from := r.at
	for !r.blind {
		proved, _ := r.picture(dark, false, false)
		require.False(t, proved)
	}
	require.InDelta(t, 2, r.at.Sub(from).Seconds(), 0.05)
	tests := r.tests
	r.run(time.Minute, dark, false)
	require.InDelta(t, 60, r.tests-tests, 3, "once a second while nothing is found")
	back := r.at
	for r.blind {
		r.picture(good, false, true)
	}
	require.Less(t, r.at.Sub(back), blindTime+leastHold+time.Second, "better light is tested at once")
}

func TestKnownConditionsNeedNoOtherTest(t *testing.T) {
	r := newRig()
	dim := good
	dim.Median, dim.Bright = 60, 140
	r.run(2*time.Second, good, true)
	r.run(2*time.Second, dim, true)
	tests := r.tests
	for range 4 { // a lamp that flickers slowly
		a, n := r.run(time.Second, good, true)
		b, m := r.run(time.Second, dim, true)
		require.Equal(t, n+m, a+b)
	}
	require.LessOrEqual(t, r.tests-tests, 1)
}

func TestTimeMayGoBack(t *testing.T) {
	r := newRig()
	r.run(time.Second, good, true)
	r.at = r.at.Add(-time.Hour)
	_, tested := r.picture(good, false, true)
	tests := r.tests
	proved, n := r.run(30*time.Second, good, true)
	require.Equal(t, n, proved, "%v", tested)
	require.InDelta(t, 3, r.tests-tests, 1)
}

// edge feeds a minute of pictures at the edge of what is proved: noise scatters around a margin, or tests pass by chance.
func edge(r *rig, random *rand.Rand, chance, spread float64, each func(good, proved bool)) {
	for end := r.at.Add(time.Minute); r.at.Before(end); {
		is := good
		is.Noise = noiseMargin*good.Noise + noiseStep + spread*random.NormFloat64()
		proved, _ := r.picture(is, false, random.Float64() < chance)
		each(r.good, proved)
	}
}

func TestCoverDoesNotFlapAtAnEdgeAndIsNeverLate(t *testing.T) {
	const mostChanges = 16 // a minute; each is a slate or a picture
	rapid.Check(t, func(t *rapid.T) {
		r := newRig()
		r.run(time.Second, good, true)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)) //nolint:gosec // a test
		chance, spread := rapid.Float64Range(0, 1).Draw(t, "chance"), rapid.Float64Range(0, 1).Draw(t, "spread")
		changes, words, was, blind := 0, 0, true, false
		edge(r, random, chance, spread, func(good, proved bool) {
			require.False(t, proved && !good, "the cover is late")
			if proved != was {
				changes, was = changes+1, proved
			}
			if r.blind != blind {
				words, blind = words+1, r.blind
			}
		})
		require.LessOrEqual(t, changes, mostChanges)
		require.LessOrEqual(t, words, mostChanges)
	})
}

// Pictures that are proved in between do not put off the word.
func TestBlindIsSaidOfACameraThatIsProvedNowAndThen(t *testing.T) {
	r := newRig()
	r.run(time.Second, good, true)
	dark := good
	dark.Median, dark.Bright, dark.Dark = 5, 20, 0
	from := r.at
	for n := 0; !r.blind && n < 1000; n++ {
		is := dark
		if n%10 == 9 {
			is = good
		}
		r.picture(is, false, n%10 == 9)
	}
	require.True(t, r.blind)
	require.Less(t, r.at.Sub(from), blindWindow+time.Second)
}

func TestOneLossHidesAPictureForASecondAndManyForLonger(t *testing.T) {
	r := newRig()
	r.run(time.Second, good, true)
	covered := condition.Condition{Dark: 60, Median: 61, Bright: 62, Contrast: 0.3}
	hold := leastHold
	for range 8 {
		r.picture(covered, false, true)
		from := r.at
		for proved := false; !proved; {
			proved, _ = r.picture(good, false, true)
		}
		require.InDelta(t, hold.Seconds(), r.at.Sub(from).Seconds(), 0.3)
		hold = min(2*hold, mostHold)
	}
	r.run(2*calmTime, good, true)
	r.picture(covered, false, true)
	require.Equal(t, leastHold, r.hold, "calm is rewarded")
}

// conditions draws a condition that is somewhat worse or better than good.
func conditions(t *rapid.T) condition.Condition {
	c := good
	c.Noise = rapid.Float64Range(0.5, 30).Draw(t, "noise")
	c.Blur = rapid.Float64Range(0, 4).Draw(t, "blur")
	light := rapid.Float64Range(0.03, 1.2).Draw(t, "light")
	c.Dark, c.Median, c.Bright, c.Contrast = c.Dark*light, c.Median*light, min(c.Bright*light, 255), c.Contrast*light
	c.Clipped = rapid.Float64Range(0, 0.3).Draw(t, "clipped")
	return c
}

func TestNothingIsProvedThatNoTestProved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig()
		var all []condition.Condition
		for range rapid.IntRange(1, 4).Draw(t, "conditions") {
			all = append(all, conditions(t))
		}
		var passed []proof     // since the last failed test
		var turned []time.Time // when it became blind or not
		asked, blind := 0, false
		for range rapid.IntRange(1, 60).Draw(t, "stretches") {
			is := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
			passes := rapid.Bool().Draw(t, "passes")
			moved := rapid.IntRange(0, 9).Draw(t, "moves") == 0
			for range rapid.IntRange(1, 100).Draw(t, "pictures") {
				at := r.at
				since := at.Sub(r.last)
				first := !r.tested
				proved, tested := r.picture(is, moved, passes)
				moved = false
				if tested {
					require.True(t, first || since >= testPause, "tests are %v apart", since)
					if !first && since < retryInterval {
						asked++
					}
					if passes {
						passed = append(passed, proof{is: is, shows: showing(r.scenes)})
					} else {
						passed = nil
					}
				}
				if proved {
					known := false
					for _, p := range passed {
						shows := showing(r.scenes)
						known = known || !worse(is, p.is) && !shows.changed(&p.shows)
					}
					require.True(t, known, "%v is proved by none of %v", is, passed)
				}
				if r.blind != blind {
					blind = r.blind
					turned = append(turned, at)
				}
			}
		}
		for i := 1; i < len(turned); i++ {
			require.GreaterOrEqual(t, turned[i].Sub(turned[i-1]), blindTime, "it flaps")
		}
		require.LessOrEqual(t, float64(asked), maxCredits+float64(r.at.Sub(begin))/float64(creditInterval)+1)
	})
}

func TestWordsForConditions(t *testing.T) {
	with := func(change func(*condition.Condition)) condition.Condition {
		c := good
		change(&c)
		return c
	}
	for _, c := range []struct {
		is   condition.Condition
		want string
	}{
		{good, WhyNotFound},
		{with(func(c *condition.Condition) { c.Dark, c.Median, c.Bright, c.Contrast = 0, 5, 20, 5 }), WhyTooDark},
		{with(func(c *condition.Condition) { c.Dark, c.Median, c.Bright, c.Contrast, c.Noise = 0, 5, 20, 5, 8 }), WhyTooDark},
		{with(func(c *condition.Condition) { c.Noise = 60 }), WhyTooNoisy},
		{with(func(c *condition.Condition) { c.Blur = 9 }), WhyBlurred},
		{with(func(c *condition.Condition) { c.Dark, c.Bright, c.Contrast = 150, 180, 6 }), WhyLowContrast},
		{with(func(c *condition.Condition) { c.Median, c.Bright, c.Clipped = 250, 255, 0.7 }), WhyTooBright},
		{condition.Condition{Dark: 80, Median: 80, Bright: 81, Noise: 1}, WhyCovered},
		{condition.Condition{Dark: 0, Median: 1, Bright: 2, Noise: 1}, WhyTooDark},
	} {
		require.Equal(t, c.want, why(c.is, 54, 3), "%v", c.is)
		require.Contains(t, Whys(), c.want)
	}
}

func TestOnlyExpectedTestsAreRepeated(t *testing.T) {
	j := newJudge(DefaultInterval, false)
	good := observation{at: begin, is: condition.Condition{Dark: 10, Median: 100, Bright: 220, Contrast: 40}}
	dark := good
	dark.is.Bright, dark.is.Median = 40, 20
	require.True(t, j.expects(&good), "the first")
	j.passed(good)
	require.True(t, j.expects(&good), "as before")
	require.False(t, j.expects(&dark), "it is darker")
	j.missed(good)
	require.False(t, j.expects(&good), "the last failed")
}
