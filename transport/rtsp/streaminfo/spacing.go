package streaminfo

import "time"

// greeting is how long a camera may greet a viewer with key frames out of turn.
const greeting = time.Second

// spacing finds how far apart key frames are. Times count from the first picture.
type spacing struct {
	seen    bool          // a key frame has come
	at      time.Duration // when the last one came
	since   int           // pictures since then; before the first, all
	missing bool          // packets were lost since then

	// The largest distance that is known.
	pictures int
	seconds  float64
	atLeast  bool // one of its ends was not seen
	// settled is set when a distance is known of which both ends are not of the
	// greeting.
	settled bool
}

// picture counts one.
func (k *spacing) picture(key bool, at time.Duration) {
	k.since++
	if !key {
		return
	}
	switch {
	case !k.seen && k.since > 1 && !k.missing:
		// The key frame before came before the first picture.
		k.grow(k.since, at, true)
		k.settled = at > greeting
	case !k.seen:
	case !k.missing:
		k.grow(k.since, at-k.at, false)
		k.settled = k.settled || at > greeting
	case k.since > k.pictures:
		k.forget()
	}
	k.seen, k.at, k.since, k.missing = true, at, 0, false
}

// grow takes a distance into account.
func (k *spacing) grow(pictures int, d time.Duration, atLeast bool) {
	if pictures > k.pictures || pictures == k.pictures && !atLeast {
		k.pictures, k.atLeast = pictures, atLeast
	}
	k.seconds = max(k.seconds, d.Seconds())
}

// forget drops what only the greeting says, where loss hides how far apart the key
// frames after it are.
func (k *spacing) forget() {
	if !k.settled {
		k.pictures, k.seconds, k.atLeast = 0, 0, false
	}
}

// result returns the distance when the last picture came at that time.
func (k *spacing) result(last time.Duration) (pictures int, seconds float64, atLeast bool) {
	r := *k
	switch {
	case !r.seen:
		return 0, 0, false
	case r.since == 0:
	case !r.missing:
		// The next key frame is not yet among them.
		r.grow(r.since+1, last-r.at, true)
	case r.since >= r.pictures:
		r.forget()
	}
	return r.pictures, r.seconds, r.atLeast
}
