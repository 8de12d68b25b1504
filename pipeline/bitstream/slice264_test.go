package bitstream

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// writer writes syntax elements; it is what reader reads.
type writer struct{ bits []bool }

func (w *writer) u(n int, v uint32) *writer {
	for i := n - 1; i >= 0; i-- {
		w.bits = append(w.bits, v>>i&1 == 1)
	}
	return w
}

func (w *writer) ue(values ...uint32) *writer {
	for _, v := range values {
		n := 0
		for (v+1)>>(n+1) != 0 {
			n++
		}
		w.u(n, 0).u(n+1, v+1)
	}
	return w
}

// nalu ends the RBSP and puts emulation prevention bytes in.
func (w *writer) nalu(head byte) []byte {
	w.u(1, 1)
	for len(w.bits)%8 != 0 {
		w.u(1, 0)
	}
	out, zeros := []byte{head}, 0
	for i := 0; i < len(w.bits); i += 8 {
		var b byte
		for _, bit := range w.bits[i : i+8] {
			b <<= 1
			if bit {
				b |= 1
			}
		}
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// made describes a stream by what its headers differ in.
type made struct {
	pocType     uint32
	fields      bool // frame_mbs_only_flag is 0
	gaps        bool
	fieldOrder  bool
	weighted    bool
	biWeighted  uint32
	redundant   bool
	sliceGroups uint32
}

const madeFrameNumBits = 5

func (m made) sps() []byte {
	w := new(writer).u(8, 77).u(8, 0).u(8, 40).ue(3, madeFrameNumBits-4, m.pocType) // id 3
	switch m.pocType {
	case 0:
		w.ue(2)
	case 1:
		w.u(1, 0).ue(0, 0, 0)
	}
	w.ue(4).u(1, b2u(m.gaps)).ue(9, 7).u(1, b2u(!m.fields))
	if m.fields {
		w.u(1, 0)
	}
	return w.u(1, 1).u(2, 0).nalu(0x67)
}

func (m made) pps() []byte {
	w := new(writer).ue(7, 3).u(1, 0).u(1, b2u(m.fieldOrder)).ue(m.sliceGroups)
	return w.ue(2, 1).u(1, b2u(m.weighted)).u(2, m.biWeighted).ue(3, 4, 5).u(2, 2).u(1, b2u(m.redundant)).nalu(0x68)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// made's slices: a frame, or a field of one.
const (
	frame = iota
	top
	bottom
)

// slice returns a slice of the type with frame_num and everything that a
// header may have; the operations are memory_management_control_operations.
func (m made) slice(typ, frameNum uint32, idr, ref bool, field int, operations ...uint32) []byte {
	w := new(writer).ue(0, typ, 7).u(madeFrameNumBits, frameNum)
	if m.fields {
		w.u(1, b2u(field != frame))
		if field != frame {
			w.u(1, b2u(field == bottom))
		}
	}
	if idr {
		w.ue(0)
	}
	switch m.pocType {
	case 0:
		w.u(6, 0)
	case 1:
		w.ue(8)
	}
	if m.pocType < 2 && m.fieldOrder && field == frame {
		w.ue(3)
	}
	lists := []uint32{3, 2}[:map[uint32]int{sliceP: 1, sliceB: 2, sliceI: 0}[typ]]
	if typ == sliceB {
		w.u(1, 1)
	}
	if len(lists) > 0 {
		w.u(1, b2u(typ == sliceP)) // the length of the lists, said here or in the PPS
		if typ == sliceP {
			lists[0] = 5
			w.ue(4)
		}
	}
	for i := range lists {
		w.u(1, b2u(i == 0))
		if i == 0 {
			w.ue(0, 1, 1, 0, 2, 4, 3)
		}
	}
	if m.weighted && typ == sliceP || m.biWeighted == 1 && typ == sliceB {
		w.ue(6, 6)
		for _, n := range lists {
			for i := range n {
				w.u(1, i%2)
				if i%2 == 1 {
					w.ue(200, 255)
				}
				w.u(1, 1).ue(1, 200, 3, 4)
			}
		}
	}
	switch {
	case ref && idr:
		w.u(2, 0)
	case ref:
		w.u(1, b2u(len(operations) > 0))
		if len(operations) > 0 {
			for _, op := range operations {
				w.ue(op)
				w.ue([][]uint32{1: {1}, 2: {0}, 3: {2, 1}, 4: {3}, 5: nil, 6: {0}}[op]...)
			}
			w.ue(0)
		}
	}
	head := byte(1)
	if idr {
		head = 5
	}
	if ref {
		head |= 0x60
	}
	return w.u(16, 0).u(16, 0).u(16, 0xffff).nalu(head)
}

// all are the streams whose headers have everything.
func all() (m []made) {
	for i := range 3 * 2 * 2 * 2 * 3 {
		m = append(m, made{
			pocType: uint32(i % 3), fields: i/3%2 == 1, fieldOrder: i/6%2 == 1, weighted: i/12%2 == 1, biWeighted: uint32(i / 24), //nolint:gosec // small
		})
	}
	return m
}

// step is an access unit, and whether Check says that something is missing.
type step struct {
	unit   []byte
	reason string
}

func check(t *testing.T, m made, steps ...step) {
	t.Helper()
	var c frameNumbers
	for i, s := range append([]step{{annexB(m.sps(), m.pps(), m.slice(sliceI, 0, true, true, frame)), ""}}, steps...) {
		info, err := Inspect(transport.H264, s.unit)
		require.NoError(t, err)
		reason, err := c.check(info)
		require.NoError(t, err, "%+v, step %d", m, i)
		require.Equal(t, s.reason, reason, "%+v, step %d", m, i)
	}
}

func TestFrameNumFollowsTheRules(t *testing.T) {
	for _, m := range all() {
		f := func(typ, n uint32, ref bool, ops ...uint32) []byte {
			return annexB(m.slice(typ, n, false, ref, frame, ops...))
		}
		check(t, m,
			step{f(sliceP, 1, true), ""}, step{f(sliceB, 2, false), ""}, step{f(sliceB, 2, false), ""},
			step{f(sliceP, 2, true, 1, 2, 3, 4, 6), ""}, step{f(sliceB, 3, true, 1), ""}, step{f(sliceI, 4, true), ""},
			step{f(sliceP, 5, true, 1, 5), ""}, // all is forgotten: it counts as 0
			step{f(sliceB, 1, false), ""}, step{f(sliceP, 1, true), ""}, step{f(sliceB, 2, true, 5), ""}, step{f(sliceP, 1, true), ""},
			step{f(sliceP, 3, true), reasonMissing}, step{f(sliceP, 4, true), ""},
			step{f(sliceP, 4, true), reasonMissing}, // one more than there are values is missing
			step{f(sliceB, 6, false), reasonMissing}, step{f(sliceP, 6, true), ""},
			step{annexB(m.slice(sliceI, 0, true, true, frame)), ""}, step{f(sliceP, 1, true), ""},
			step{f(sliceP, 31, true), reasonMissing}, step{f(sliceP, 0, true), ""}, step{f(sliceP, 1, true), ""},
		)
	}
}

func TestFieldsAreCountedInPairs(t *testing.T) {
	for _, m := range all() {
		if !m.fields {
			continue
		}
		f := func(n uint32, ref bool, field int, ops ...uint32) []byte {
			return m.slice(sliceP, n, false, ref, field, ops...)
		}
		one := func(n uint32, ref bool, field int, ops ...uint32) step {
			return step{annexB(f(n, ref, field, ops...)), ""}
		}
		missing := func(s step) step { s.reason = reasonMissing; return s }
		check(t, m,
			step{annexB(m.slice(sliceI, 0, true, true, top)), ""}, one(0, true, bottom), // an IDR picture's second field is a P
			one(1, true, top), one(1, true, bottom), one(2, false, top), one(2, false, bottom), one(2, false, bottom), one(2, false, top),
			one(2, true, bottom), one(2, true, top), one(3, true, frame),
			one(4, true, top, 5), one(0, true, bottom), one(1, true, top), one(1, true, bottom),
			step{annexB(f(2, true, top), f(2, true, bottom)), ""}, // both in one unit
			one(3, true, top), missing(one(4, true, top)), one(4, true, bottom), // a second field is missing
			missing(one(6, true, top)), one(6, true, bottom), // a frame is missing
			one(7, true, bottom), missing(one(8, true, top)), // a first field is missing
			one(8, true, bottom), one(9, false, bottom), missing(one(9, true, top)),
		)
	}
}

func TestGapsAreAcceptedWhereTheSPSAllowsThem(t *testing.T) {
	m := made{gaps: true}
	f := func(n uint32, ref bool) step { return step{annexB(m.slice(sliceP, n, false, ref, frame)), ""} }
	check(t, m, f(1, true), f(4, true), f(5, false), f(5, true), f(9, false), f(9, true), f(3, true))
}

func TestANewSPSMakesThePPSVoid(t *testing.T) {
	var c frameNumbers
	for i, u := range [][]byte{
		annexB(made{}.sps(), made{}.pps(), made{}.slice(sliceI, 0, true, true, frame)),
		annexB(made{pocType: 2}.sps(), made{pocType: 2}.slice(sliceI, 0, true, true, frame)),
	} {
		info, err := Inspect(transport.H264, u)
		require.NoError(t, err)
		_, err = c.check(info)
		require.Equal(t, i == 1, err != nil)
	}
}

func TestParameterSetsInAUnitOfTheirOwnCount(t *testing.T) {
	m := made{}
	var c frameNumbers
	for _, u := range [][]byte{annexB(aud, m.sps()), annexB(m.pps()), annexB(sei), annexB(m.slice(sliceI, 0, true, true, frame))} {
		info, err := Inspect(transport.H264, u)
		require.NoError(t, err)
		reason, err := c.check(info)
		require.NoError(t, err)
		require.Empty(t, reason)
	}
	info, err := Inspect(transport.H264, annexB(m.slice(sliceP, 2, false, true, frame)))
	require.NoError(t, err)
	reason, err := c.check(info)
	require.NoError(t, err)
	require.Equal(t, reasonMissing, reason)
}

func TestHeadersThatCannotBeAreDamagedOrUnsupported(t *testing.T) {
	sliceOf := func(nalu []byte) []byte { return annexB(made{}.sps(), made{}.pps(), nalu) }
	commands := new(writer).ue(0, sliceP, 7).u(madeFrameNumBits, 1).u(6, 0).u(1, 0).u(1, 0).u(1, 1)
	for range 100 {
		commands.ue(1, 0)
	}
	order := new(writer).ue(0, sliceP, 7).u(madeFrameNumBits, 1).u(6, 0).u(1, 0).u(1, 1)
	for range 100 {
		order.ue(0, 0)
	}
	for name, c := range map[string]struct {
		au  []byte
		err error
	}{
		"redundant pictures":     {annexB(made{redundant: true}.pps()), ErrUnsupported},
		"slice groups":           {annexB(made{sliceGroups: 1}.pps()), ErrUnsupported},
		"PPS of one byte":        {annexB([]byte{0x68}), ErrDamaged},
		"frame_num of 17 bits":   {annexB(new(writer).u(24, 77<<16).ue(0, 13, 2, 1).u(1, 0).ue(9, 7).u(1, 1).u(3, 0).nalu(0x67)), ErrDamaged},
		"IDR with frame_num 3":   {sliceOf(made{}.slice(sliceI, 3, true, true, frame)), ErrDamaged},
		"IDR without reference":  {sliceOf(made{}.slice(sliceI, 0, true, false, frame)), ErrDamaged},
		"IDR that predicts":      {sliceOf(made{}.slice(sliceP, 0, true, true, frame)), ErrDamaged},
		"SP slice":               {sliceOf(made{}.slice(3, 0, false, true, frame)), ErrDamaged},
		"nothing but a head":     {sliceOf([]byte{0x61, 0x80}), ErrDamaged},
		"no end of the commands": {sliceOf(commands.nalu(0x61)), ErrDamaged},
		"no end of the order":    {sliceOf(order.nalu(0x61)), ErrDamaged},
		"another PPS":            {sliceOf(new(writer).ue(0, sliceP, 8).u(20, 0).nalu(0x61)), ErrDamaged},
		"PPS of another SPS": {annexB(
			made{}.sps(), new(writer).ue(7, 4).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0).nalu(0x68), made{}.slice(sliceI, 0, true, true, frame),
		), ErrDamaged},
		"empty": {nil, ErrDamaged},
	} {
		info, err := Inspect(transport.H264, c.au)
		if err == nil {
			_, err = new(frameNumbers).check(info)
		}
		require.ErrorIs(t, err, c.err, name)
	}
}

func TestUnescape(t *testing.T) {
	for _, b := range [][]byte{{}, {1}, {0, 0, 0, 0, 1}, {0, 0, 3, 0, 0, 1}, {0, 0, 0, 3}, bytes.Repeat([]byte{0}, 30)} {
		w := new(writer)
		for _, c := range b {
			w.u(8, uint32(c))
		}
		var buf [64]byte
		got := unescape(buf[:], w.nalu(0x61)[1:])
		require.Equal(t, append(bytes.Clone(b), 0x80), got)
		require.Len(t, unescape(buf[:min(2, len(b))], w.nalu(0x61)[1:]), min(2, len(b)))
	}
}

// FuzzContinuity feeds units that have the parameter sets of every shape.
func FuzzContinuity(f *testing.F) {
	for i, m := range all() {
		f.Add(uint8(i), m.slice(sliceP, 1, false, true, frame, 1, 3), m.slice(sliceB, 2, false, false, bottom)) //nolint:gosec // small
	}
	f.Add(uint8(0), made{}.pps(), made{gaps: true}.sps())
	f.Fuzz(func(t *testing.T, i uint8, one, two []byte) {
		m := all()[int(i)%len(all())]
		var c, again frameNumbers
		for _, u := range [][]byte{annexB(m.sps(), m.pps(), m.slice(sliceI, 0, true, true, frame)), annexB(one), annexB(two), annexB(one, two)} {
			info, err := Inspect(transport.H264, u)
			if err != nil {
				continue
			}
			reason, err := c.check(info)
			if reason != "" && err != nil {
				t.Fatalf("both %q and %v", reason, err)
			}
			if reason == reasonMissing && info.Key {
				t.Fatal("an IDR has a gap before it")
			}
			if info, err = Inspect(transport.H264, info.Data); err != nil {
				continue
			}
			if s, err2 := again.check(info); s != reason || fmt.Sprint(err) != fmt.Sprint(err2) && err != nil {
				t.Fatalf("%q, then %q (%v) for the same", reason, s, err2)
			}
		}
	})
}
