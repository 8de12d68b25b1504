package sight

import (
	"slices"
	"time"

	"scrim/redact/condition"
	"scrim/redact/rules"
)

const (
	// A camera is blind if it was not proved for blindTime of the last blindWindow, until it is proved, and was good for
	// blindTime without a gap.
	blindTime   = 2 * time.Second
	blindWindow = 3 * time.Second
	// After a failed test, or a picture that shows nothing, the cover stays until the picture was good for leastHold
	// without a gap. That doubles, up to mostHold, with each within calmTime after the last one, so that an edge does not
	// show picture and cover in turn. A loss that only waited for its test is held if another one was soonTime before.
	leastHold = time.Second
	mostHold  = 16 * time.Second
	calmTime  = time.Minute
	soonTime  = 3 * time.Second
	// testPause is the least time between two tests, retryInterval that between tests of a picture
	// in which faces are not found.
	testPause     = 100 * time.Millisecond
	retryInterval = time.Second
	// Tests that a change asks for cost a credit: at most maxCredits are at hand, and one more
	// comes every creditInterval.
	maxCredits     = 8.0
	creditInterval = 2 * time.Second
	// After a failed test, returnPasses tests must pass one after another, with faces that are
	// smaller by returnFactor than what is needed.
	returnPasses = 2
	returnFactor = 1.12
	// maxProofs bounds the conditions in which the last tests passed.
	maxProofs = 8
	// proofTime is how long a passed test in another condition than the current one holds.
	proofTime = 10 * time.Minute
)

// proof is a picture in which a test passed.
type proof struct {
	at    time.Time
	is    condition.Condition
	shows structure
	parts parts
}

// judge decides, picture by picture, whether the detector's sight is proved, and when it is tested. It
// is a state machine without a clock of its own.
type judge struct {
	interval time.Duration
	// atOnce is set if tests that a change asks for wait for nothing and cost no credit.
	atOnce bool
	// proofs are those of tests that passed since one failed, the newest first.
	proofs []proof
	// last is the last test.
	last   time.Time
	tested bool
	failed bool  // the last tests failed, or too few have passed since
	passes int   // since one failed
	fail   proof // the last test that failed
	// credits are for tests that changes ask for, as of credited.
	credits  float64
	credited time.Time
	proved   bool
	since    time.Time // when proved changed
	begun    bool
	blind    bool
	turned   time.Time // when it became blind
	// good is set if the last picture was proved but for the hold, which ends so long after goodSince.
	good      bool
	goodSince time.Time
	hold      time.Duration
	lost      time.Time // when the proof was lost last
	// grown is the hold of the last failure, which began at failedAt; counted is set if it is that of the last loss.
	grown    time.Duration
	failedAt time.Time
	counted  bool
	// unproved are the times without a proof that reach into the last blindWindow.
	unproved []span
}

// span is a time from a picture to another.
type span struct{ from, to time.Time }

func newJudge(interval time.Duration, atOnce bool) judge {
	return judge{interval: interval, atOnce: atOnce, credits: maxCredits}
}

// observation is what is known of a picture without a test.
type observation struct {
	at    time.Time
	is    condition.Condition
	shows structure
	parts parts
	// empty is set if there is nothing in the picture.
	empty bool
}

// due reports whether the picture must be tested.
func (j *judge) due(o observation) bool {
	if !j.begun {
		j.begun, j.since, j.credited = true, o.at, o.at
	}
	if o.at.Before(j.credited) { // time goes backwards: what was measured by it means nothing
		j.credited, j.last, j.since, j.goodSince, j.lost, j.failedAt, j.turned = o.at, o.at, o.at, o.at, o.at, o.at, o.at
		j.unproved = j.unproved[:0]
	}
	j.credits = min(j.credits+float64(o.at.Sub(j.credited))/float64(creditInterval), maxCredits)
	j.credited = o.at
	passed := o.at.Sub(j.last)
	switch {
	case o.empty:
		return false // it would say nothing
	case !j.tested || passed >= j.interval:
		return true
	case passed < testPause && !j.atOnce:
		return false
	case j.failed:
		if j.atOnce && passed == 0 {
			return true // the same picture again
		}
		// A better condition is tested at once, and so are the tests that confirm one that passed.
		return passed >= retryInterval || (j.passes > 0 || better(o.is, j.fail.is) || j.fail.parts.worse(&o.parts) || o.shows.changed(&j.fail.shows)) && j.pay()
	}
	return !j.covers(&o) && j.pay()
}

// pay takes a credit, if there is one.
func (j *judge) pay() bool {
	if j.atOnce {
		return true
	}
	if j.credits < 1 {
		return false
	}
	j.credits--
	return true
}

// covers reports whether a test passed in a picture of the same scene whose condition is no better.
func (j *judge) covers(o *observation) bool {
	if !rules.Proof {
		return true
	}
	for i := range j.proofs {
		if p := &j.proofs[i]; o.at.Sub(p.at) <= proofTime && !worse(o.is, p.is) && !o.parts.worse(&p.parts) && !o.shows.changed(&p.shows) {
			return true
		}
	}
	return false
}

// expects reports whether a test of the picture should pass: it is the first, or nothing has become
// worse since one passed. Then chance may have failed it.
func (j *judge) expects(o *observation) bool { return !j.tested || !j.failed && j.covers(o) }

// shrink is by how much smaller than needed the faces of the next test are.
func (j *judge) shrink() float64 {
	if j.failed {
		return returnFactor
	}
	return 1
}

// passed notes a test of the picture that passed.
func (j *judge) passed(o observation) {
	j.last, j.tested = o.at, true
	j.passes++
	if j.failed && j.passes >= returnPasses {
		j.failed = false
	}
	// What the new one says, too, is not kept.
	j.proofs = slices.DeleteFunc(j.proofs, func(p proof) bool {
		return !worse(p.is, o.is) && !p.parts.worse(&o.parts) && !p.shows.changed(&o.shows)
	})
	j.proofs = slices.Insert(j.proofs, 0, proof{o.at, o.is, o.shows, o.parts})
	j.proofs = j.proofs[:min(len(j.proofs), maxProofs)]
}

// missed notes a test of the picture that failed: no earlier one counts any more.
func (j *judge) missed(o observation) {
	j.last, j.tested, j.failed, j.passes, j.fail = o.at, true, true, 0, proof{o.at, o.is, o.shows, o.parts}
	j.proofs = j.proofs[:0]
}

// conclude says whether the sight in the picture is proved, and whether the camera is blind.
func (j *judge) conclude(o observation) (proved, blind bool) {
	good := !o.empty && j.tested && !j.failed && j.covers(&o)
	if good && !j.good {
		j.goodSince = o.at
	}
	j.good = good
	proved = good && (j.atOnce || o.at.Sub(j.goodSince) >= j.hold)
	if !j.proved {
		j.extend(o.at)
	}
	if j.proved && !proved {
		j.hold, j.counted = 0, false
		if !j.lost.IsZero() && o.at.Sub(j.lost) < soonTime {
			j.hold = leastHold
		}
		j.lost = o.at
	}
	if !j.lost.IsZero() && !j.counted && !good && (j.failed || o.empty) {
		j.counted = true
		if j.grown > 0 && o.at.Sub(j.failedAt) < calmTime {
			j.grown = min(2*j.grown, mostHold)
		} else {
			j.grown = leastHold
		}
		j.failedAt, j.hold = o.at, max(j.hold, j.grown)
	}
	if proved != j.proved {
		j.proved, j.since = proved, o.at
		if !proved {
			j.unproved = append(j.unproved, span{o.at, o.at})
		}
	}
	switch {
	case !j.blind && j.unprovedLately(o.at) >= blindTime:
		j.blind, j.turned = true, o.at
	case j.blind && proved && o.at.Sub(j.goodSince) >= blindTime && o.at.Sub(j.turned) >= blindTime:
		j.blind, j.unproved = false, j.unproved[:0]
	}
	return proved, j.blind
}

// held reports whether the last picture was not proved only because its proof was lost shortly before.
func (j *judge) held() bool { return j.good && !j.proved }

// extend notes that nothing was proved until now.
func (j *judge) extend(now time.Time) {
	if len(j.unproved) == 0 {
		j.unproved = append(j.unproved, span{j.since, now})
	}
	j.unproved[len(j.unproved)-1].to = now
}

// unprovedLately returns for how long nothing was proved in the last blindWindow, and forgets what was before.
func (j *judge) unprovedLately(now time.Time) (sum time.Duration) {
	from := now.Add(-blindWindow)
	j.unproved = slices.DeleteFunc(j.unproved, func(s span) bool { return s.to.Before(from) })
	for _, s := range j.unproved {
		if s.from.Before(from) {
			s.from = from
		}
		sum += s.to.Sub(s.from)
	}
	return sum
}

// Margins by which a condition may be worse than one in which a test passed.
const (
	noiseMargin, noiseStep       = 1.3, 1.0 // factor, levels
	blurMargin, blurStep         = 1.35, 0.5
	darkMargin, darkStep         = 0.75, 4.0 // Bright
	medianMargin, medianStep     = 0.55, 8.0
	clippedStep, whiteStep       = 0.12, 60.0 // share; levels of Median
	contrastMargin, contrastStep = 0.6, 2.0
	rangeMargin, rangeStep       = 0.7, 4.0
	sharpBlur                    = 1.0 // Blur of sharp pictures is below
)

// worse reports whether a condition is worse than one in which a test passed, by more than the margins
// in any respect.
func worse(now, then condition.Condition) bool {
	return now.Noise > noiseMargin*then.Noise+noiseStep ||
		now.Bright < darkMargin*then.Bright-darkStep ||
		now.Median < medianMargin*then.Median-medianStep ||
		now.Clipped > then.Clipped+clippedStep ||
		now.Median > then.Median+whiteStep ||
		now.Contrast < contrastMargin*then.Contrast-contrastStep ||
		now.Range() < rangeMargin*then.Range()-rangeStep ||
		now.Blur == 0 && then.Blur > 0 || // no edge stands out any more
		now.Blur > blurMargin*max(then.Blur, sharpBlur)+blurStep
}

// better reports whether a condition is so much better than one in which a test failed that another
// test may pass: in that one, it would be left.
func better(now, then condition.Condition) bool { return worse(then, now) }
