package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/redact"
	"scrim/redact/rules"
	"scrim/transport"
)

// maxPending bounds the units that the decoder may hold back for reordering.
const maxPending = 64

// maxSets bounds the parameter sets that are kept for the next picture, in
// bytes.
const maxSets = 1 << 16

// input is the state of the decode stage.
type input struct {
	sequence
	p       *Pipeline
	open    func(decode.Options) (*decode.Decoder, error)
	dec     *decode.Decoder
	epoch   uint64
	id      int64
	number  uint64
	pending map[int64]*job
	// continuity sees every unit. sets are parameter sets from units that were not
	// decoded since the last one that was.
	continuity bitstream.Continuity
	sets       []byte
}

// runDecode is the decode stage.
func (p *Pipeline) runDecode(ctx context.Context) error {
	in := &input{p: p, open: decode.New, epoch: p.o.Epoch, pending: make(map[int64]*job)}
	in.generation = p.gate.Generation()
	defer p.pictures.close()
	defer in.close()
	for {
		select {
		case u, ok := <-p.units:
			if !ok {
				p.enter(decodeStage)
				in.flush()
				p.leave(decodeStage)
				return nil
			}
			p.enter(decodeStage)
			in.unit(u)
			p.leave(decodeStage)
		case <-ctx.Done():
			return nil
		}
	}
}

// unit decodes one access unit. Anything wrong with it shuts the gate; the
// next complete key frame may open it again.
func (in *input) unit(u transport.CameraUnit) {
	begun := time.Now()
	a := in.inspect(u)
	v := in.classify(&a)
	in.measure(u)
	if v.newCodec {
		in.close()
		in.sets = nil
	}
	if v.newDecoder {
		if err := in.newDecoder(a.info); err != nil {
			in.endGeneration(cause(transport.FaultFormat, err.Error()))
			return
		}
	}
	switch {
	case v.ends:
		in.endGeneration(v.cause)
	case v.stale:
		in.generation, in.whole = a.generation, false
	}
	in.keepSets(v.sets)
	switch v.fate {
	case unitDropped:
		in.p.counts.unitsDropped.Add(1)
	case unitWithheld:
		in.p.counts.picturesWithheld.Add(1)
	case unitDecoded:
		in.decode(&a, &v, begun)
	}
}

// inspect collects what is known of a unit.
func (in *input) inspect(u transport.CameraUnit) (a arrival) {
	a.unit, a.generation, a.anyShown = u, in.p.gate.Generation(), in.p.overflow.anyShown()
	if a.info, a.err = bitstream.Inspect(u.Codec, u.Data); a.err == nil {
		a.missing, a.err = in.continuity.Check(a.info)
	}
	return a
}

// decode hands a unit to the decoder.
func (in *input) decode(a *arrival, v *verdict, begun time.Time) {
	if v.start {
		in.restart()
	}
	if v.key {
		in.noRASL, in.whole = v.start || a.info.BLA, true
	}
	in.id++
	if len(in.pending) >= maxPending {
		clear(in.pending)
		in.endGeneration(cause(transport.FaultDamage, "decoder holds back too many pictures"))
		return
	}
	j := &job{unit: a.unit, key: a.info.Key, generation: in.generation, decodeBegan: begun}
	j.unit.Data = nil
	in.pending[in.id] = j
	data := v.data
	if len(in.sets) > 0 {
		data, in.sets = append(in.sets, data...), nil
	}
	in.check(in.dec.Decode(data, in.id, in.picture))
}

// check ends the generation when decoding failed.
func (in *input) check(err error) {
	if err != nil {
		in.endGeneration(cause(transport.FaultDamage, "decoding failed: "+err.Error()))
	}
}

// restart makes an H.265 decoder start over at the next unit with the parameter sets
// that it has: what it knows of earlier pictures no longer holds.
func (in *input) restart() {
	if in.codec != transport.H265 {
		return
	}
	in.dec.Reset()
	in.p.counts.picturesWithheld.Add(uint64(len(in.pending))) // what it held back
	clear(in.pending)
}

// keepSets keeps parameter sets for the next picture.
func (in *input) keepSets(sets []byte) {
	if len(in.sets) > maxSets {
		in.sets = in.sets[:0]
	}
	in.sets = append(in.sets, sets...)
}

// measure updates the camera's picture interval, from which the stall deadline is
// derived.
func (in *input) measure(u transport.CameraUnit) {
	if in.started {
		d := time.Duration(u.PTS-in.lastPTS) * time.Second / transport.ClockRate
		if d > 0 && d < maxJump*time.Second/transport.ClockRate {
			old := cmp.Or(in.p.interval.Load(), int64(d))
			in.p.interval.Store(old + (int64(d)-old)/8)
		}
	}
	in.lastPTS, in.started = u.PTS, true
}

// endGeneration shuts the gate: nothing that comes now is known to be complete.
func (in *input) endGeneration(c redact.Cause) {
	in.generation, in.whole = in.p.gate.Shut(c), false
}

// newDecoder opens a decoder for a new SPS and begins a new epoch, in which tracker,
// scaler and encoder are new, too. Nothing of the old size may remain: a stale scale
// factor would put the mask in the wrong place.
func (in *input) newDecoder(info bitstream.Info) error {
	in.close() // if opening fails nothing is decoded until any SPS comes, even the previous one
	dec, err := in.open(decode.Options{Codec: info.Codec, Rotate: in.p.o.Rotate, Pool: &in.p.pool})
	if err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	in.dec, in.codec = dec, info.Codec
	in.sps = append([]byte(nil), info.SPS...)
	in.epoch++
	width, height := in.p.o.Rotate.Size(info.Width, info.Height)
	in.p.inputSize.Store(uint64(width)<<32 | uint64(height)) //nolint:gosec // sizes are positive and bounded
	clear(in.pending)
	return nil
}

// picture receives one picture from the decoder.
func (in *input) picture(pic decode.Picture) error {
	now := time.Now()
	j := in.pending[pic.ID]
	delete(in.pending, pic.ID)
	if j != nil && j.key { // units sent before it that have not come out never will
		maps.DeleteFunc(in.pending, func(id int64, _ *job) bool { return id < pic.ID })
	}
	damaged := j == nil || rules.Corrupt && pic.Corrupt
	if damaged || rules.Generation && j.generation != in.generation {
		in.p.pool.Put(pic.Image)
		in.p.counts.picturesWithheld.Add(1)
		if damaged {
			in.endGeneration(cause(transport.FaultDamage, "damaged picture"))
		}
		return nil
	}
	j.decoded, j.decodeTime = now, now.Sub(j.decodeBegan)
	in.number++
	j.pic = redact.Picture{
		Image: pic.Image, Camera: in.p.o.Camera, Epoch: in.epoch, Generation: j.generation, Number: in.number,
		Complete: in.whole || !rules.Complete, IDR: j.key, Captured: j.unit.Captured,
	}
	if old, full := in.p.pictures.put(j); full {
		in.p.pool.Put(old.pic.Image)
		in.p.counts.picturesDropped.Add(1)
		in.p.overflow.dropped(in.p.now(), old.unit.Arrived, pictureQueue)
	}
	return nil
}

// flush outputs what the decoder still holds.
func (in *input) flush() {
	if in.dec != nil {
		in.check(in.dec.Flush(in.picture))
	}
}

// close frees the decoder.
func (in *input) close() {
	if in.dec != nil {
		in.dec.Close()
	}
	in.dec, in.codec, in.sps = nil, "", nil
}
