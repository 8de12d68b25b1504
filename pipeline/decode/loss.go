package decode

import "slices"

const (
	// maxHeld is how many pictures are held to wait for one that was sent before. No
	// decoder reorders by more (H.264 and H.265: 16).
	maxHeld = 16
	// keysKept is how many numbers of key pictures are kept.
	keysKept = 4
)

// losses tracks which packets, and so which pictures, are damaged. Packets are
// numbered from 1 in decoding order; pictures come in display order. Damage to
// one picture does not affect those that were sent before it.
type losses struct {
	sent int64
	// hidden is set for codecs in which packets without a picture are normal.
	hidden bool
	// waiting are the packets whose pictures have not come, ascending.
	waiting []int64
	missing int64
	// damages ascend; old is the last one that was dropped.
	damages []damage
	old     damage
	keys    []int64 // of pictures shown
	shownTo int64
}

// damage is what is wrong with a packet, or that something is missing before it.
type damage struct {
	n      int64
	reason string
}

// span are the packets that a picture may have come in. It is more than one only
// if the fields of a picture may have come in separate packets.
type span struct{ first, last int64 }

// noteDamage notes damage of a packet; the first reason counts.
func (l *losses) noteDamage(n int64, reason string) {
	i, there := slices.BinarySearchFunc(l.damages, n, func(d damage, n int64) int { return int(d.n - n) })
	if !there {
		l.damages = slices.Insert(l.damages, i, damage{n, reason})
	}
}

// await notes that the last packet should yield a picture.
func (l *losses) await(n int64) {
	if !l.hidden {
		l.waiting = append(l.waiting, n)
	}
}

// arrived notes that the picture of packets has come, or that none will.
func (l *losses) arrived(s span) {
	l.waiting = slices.DeleteFunc(l.waiting, func(n int64) bool { return n >= s.first && n <= s.last })
}

// settled reports whether everything sent before a picture is decoded. held is the
// number of pictures that wait; beyond maxHeld the missing ones count as lost.
func (l *losses) settled(s span, held int) bool {
	if held > maxHeld {
		n := len(l.waiting)
		l.waiting = slices.DeleteFunc(l.waiting, func(n int64) bool { return n < s.first })
		l.missing += int64(n - len(l.waiting))
	}
	return len(l.waiting) == 0 || l.waiting[0] > s.first
}

// shown notes the next picture in display order. It returns the damage that affects
// it, empty if there is none.
func (l *losses) shown(s span, key bool) string {
	l.shownTo = max(l.shownTo, s.last)
	base := s.first
	if !key {
		base = 0
		for _, k := range l.keys {
			if k <= s.first {
				base = max(base, k)
			}
		}
	}
	reason := ""
	if base == 0 && l.old.n > 0 {
		reason = l.old.reason // it refers to pictures before those that are known
	}
	for _, d := range l.damages {
		if d.n >= base && d.n <= s.last {
			reason = d.reason
		}
	}
	if key {
		l.keep(s.first)
	}
	return reason
}

// keep notes the number of a key picture and drops damage that cannot matter any more.
func (l *losses) keep(key int64) {
	l.keys = append(l.keys, key)
	if len(l.keys) <= keysKept {
		return
	}
	l.keys = l.keys[1:]
	oldest := slices.Min(l.keys)
	for len(l.damages) > 0 && l.damages[0].n < oldest {
		l.old, l.damages = l.damages[0], l.damages[1:]
	}
}

// left returns the damage of packets after those of the last picture shown.
func (l *losses) left() string {
	for _, d := range l.damages {
		if d.n > l.shownTo {
			return d.reason
		}
	}
	return ""
}
