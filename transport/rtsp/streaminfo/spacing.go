package streaminfo

import "time"

// startup is the time in which a camera may send extra key frames to a new viewer.
const startup = time.Second

// spacing measures the distance of key frames. Times count from the first picture.
type spacing struct {
	seen    bool          // there was a key frame
	at      time.Duration // of the last key frame
	since   int           // pictures since then, or since the first picture
	missing bool          // packets were lost since then

	// The largest known distance.
	pictures int
	seconds  float64
	atLeast  bool // one of its ends was not seen
	// settled is set if both ends of a known distance are after startup.
	settled bool
}

// picture counts one picture.
func (k *spacing) picture(key bool, at time.Duration) {
	k.since++
	if !key {
		return
	}
	switch {
	case !k.seen && k.since > 1 && !k.missing:
		// The previous key frame was before the first picture.
		k.grow(k.since, at, true)
		k.settled = at > startup
	case !k.seen:
	case !k.missing:
		k.grow(k.since, at-k.at, false)
		k.settled = k.settled || at > startup
	case k.since > k.pictures:
		k.forget()
	}
	k.seen, k.at, k.since, k.missing = true, at, 0, false
}

// grow accounts for a distance.
func (k *spacing) grow(pictures int, d time.Duration, atLeast bool) {
	if pictures > k.pictures || pictures == k.pictures && !atLeast {
		k.pictures, k.atLeast = pictures, atLeast
	}
	k.seconds = max(k.seconds, d.Seconds())
}

// forget drops a distance that is known from startup only, if a loss hides later ones.
func (k *spacing) forget() {
	if !k.settled {
		k.pictures, k.seconds, k.atLeast = 0, 0, false
	}
}

// result returns the distance as of the time of the last picture.
func (k *spacing) result(last time.Duration) (pictures int, seconds float64, atLeast bool) {
	r := *k
	switch {
	case !r.seen:
		return 0, 0, false
	case r.since == 0:
	case !r.missing:
		// The next key frame was not seen.
		r.grow(r.since+1, last-r.at, true)
	case r.since >= r.pictures:
		r.forget()
	}
	return r.pictures, r.seconds, r.atLeast
}
