package pipeline

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/bitstream"
	"scrim/redact"
	"scrim/transport"
)

func TestUnitsAreClassified(t *testing.T) {
	sps, other := []byte{7, 1}, []byte{7, 2}
	going := sequence{codec: transport.H264, sps: sps, generation: 3, whole: true, started: true, lastPTS: 1000}
	broken := going
	broken.whole = false
	h265 := sequence{codec: transport.H265, sps: sps, generation: 3, whole: true, noRASL: true, started: true, lastPTS: 1000}
	loss := transport.Gap{Kind: transport.GapLoss, Text: "packet loss"}
	intact := loss
	intact.Intact = true
	lost := verdict{ends: true, cause: cause(transport.FaultLoss, "packet loss")}
	with := func(v verdict, change func(*verdict)) verdict { change(&v); return v }
	for name, c := range map[string]struct {
		known sequence
		of    func(*arrival) // changes a P slice that follows
		want  verdict
	}{
		"picture that follows": {going, func(*arrival) {}, verdict{fate: unitDecoded}},
		"key frame":            {going, func(a *arrival) { a.info.Key = true }, verdict{fate: unitDecoded, key: true}},
		"picture after a loss": {
			going, func(a *arrival) { a.unit.Gap = intact },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"key frame after a loss": {
			going, func(a *arrival) { a.unit.Gap, a.info.Key = intact, true },
			with(lost, func(v *verdict) { v.fate, v.start, v.key = unitDecoded, true, true }),
		},
		"key frame that lacks a part": {
			going, func(a *arrival) { a.unit.Gap, a.info.Key = loss, true },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"picture while none is whole":   {broken, func(*arrival) {}, verdict{fate: unitWithheld}},
		"key frame while none is whole": {broken, func(a *arrival) { a.info.Key = true }, verdict{fate: unitDecoded, start: true, key: true}},
		"pictures are missing": {
			going, func(a *arrival) { a.missing = "packet loss" },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"pictures are missing, as is known": {broken, func(a *arrival) { a.missing = "packet loss" }, verdict{fate: unitWithheld}},
		"loss that the unit shows, too": {
			going, func(a *arrival) { a.unit.Gap, a.missing = intact, "frame_num" },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"timestamps jump": {
			going, func(a *arrival) { a.unit.PTS += maxJump + 1 },
			verdict{fate: unitWithheld, ends: true, cause: cause(transport.FaultLoss, "the camera's timestamps jumped")},
		},
		"timestamps of a new connection": {
			going, func(a *arrival) { a.unit.PTS, a.unit.Gap = -1<<40, intact },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"first unit": {sequence{generation: 3}, func(a *arrival) { a.unit.PTS = -1 << 40 }, verdict{fate: unitWithheld}},
		"first SPS": {
			sequence{generation: 3}, func(a *arrival) { a.info.SPS, a.info.Key = sps, true },
			verdict{fate: unitDecoded, newDecoder: true, start: true, key: true},
		},
		"same SPS": {
			going, func(a *arrival) { a.info.SPS, a.info.Key = []byte{7, 1}, true },
			verdict{fate: unitDecoded, key: true},
		},
		"another SPS": {
			going, func(a *arrival) { a.info.SPS, a.info.Key = other, true },
			verdict{fate: unitDecoded, ends: true, cause: causeFormat, newDecoder: true, start: true, key: true},
		},
		"another SPS without a key frame": {
			going, func(a *arrival) { a.info.SPS = other },
			verdict{fate: unitWithheld, ends: true, cause: causeFormat, newDecoder: true},
		},
		"another SPS in a unit of its own": {
			going, func(a *arrival) { a.info.SPS, a.info.Slices = other, 0 },
			verdict{fate: unitKept, ends: true, cause: causeFormat, newDecoder: true, sets: []byte("data")},
		},
		"another SPS after a loss": {
			going, func(a *arrival) { a.info.SPS, a.info.Key, a.unit.Gap = other, true, intact },
			verdict{fate: unitDecoded, ends: true, cause: causeFormat, newDecoder: true, start: true, key: true},
		},
		"parameter sets": {going, func(a *arrival) { a.info.Slices = 0 }, verdict{fate: unitKept, sets: []byte("data")}},
		"another codec": {
			h265, func(a *arrival) { a.info.SPS, a.info.Key = sps, true },
			verdict{fate: unitDecoded, ends: true, cause: causeFormat, newCodec: true, newDecoder: true, start: true, key: true},
		},
		"another codec without an SPS": {h265, func(*arrival) {}, verdict{fate: unitWithheld, ends: true, cause: causeFormat, newCodec: true}},
		"another codec of a new connection": {
			h265, func(a *arrival) { a.unit.Gap = transport.Gap{Kind: transport.GapConnected} },
			verdict{fate: unitWithheld, ends: true, cause: causeWaiting, newCodec: true},
		},
		"RASL picture of a key frame before": {
			h265, func(a *arrival) { a.info.Codec, a.info.RASL = transport.H265, true },
			verdict{fate: unitWithheld},
		},
		"RASL picture with another SPS": {
			h265, func(a *arrival) { a.info.Codec, a.info.RASL, a.info.SPS = transport.H265, true, other },
			verdict{fate: unitWithheld, ends: true, cause: causeFormat, newDecoder: true},
		},
		"RASL picture after a loss": {
			h265, func(a *arrival) { a.info.Codec, a.info.RASL, a.unit.Gap = transport.H265, true, intact },
			with(lost, func(v *verdict) { v.fate = unitWithheld }),
		},
		"gate shut since": {going, func(a *arrival) { a.generation = 4 }, verdict{fate: unitWithheld, stale: true}},
		"gate shut since, at a key frame": {
			going, func(a *arrival) { a.generation, a.info.Key = 4, true },
			verdict{fate: unitDecoded, stale: true, start: true, key: true},
		},
		"gate shut since, and parameter sets": {
			going, func(a *arrival) { a.generation, a.info.Slices = 4, 0 },
			verdict{fate: unitKept, sets: []byte("data")},
		},
		"damage": {
			going, func(a *arrival) { a.err, a.unit.Gap = errors.New("empty"), intact },
			verdict{fate: unitDropped, ends: true, cause: cause(transport.FaultDamage, "unsupported or damaged video: empty")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := arrival{unit: transport.CameraUnit{PTS: 4600}, info: bitstream.Info{Codec: transport.H264, Slices: 1, Data: []byte("data")}, generation: 3}
			c.of(&a)
			known := c.known
			got := c.known.classify(&a)
			require.Equal(t, known, c.known, "it was changed")
			if c.want.fate == unitDecoded {
				require.Equal(t, []byte("data"), got.data)
			}
			got.data = nil
			if len(got.sets) == 0 {
				got.sets = nil
			}
			require.Equal(t, c.want, got)
			if got.ends {
				require.NotEqual(t, redact.Cause{}, got.cause)
			}
		})
	}
}
