package pipeline

import (
	"bytes"
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

// maxJump is the largest step of the camera's PTS that still counts as the
// same run of pictures, in 90 kHz ticks.
const maxJump = 5 * transport.ClockRate

// maxPending bounds the units that the decoder may hold back for reordering.
const maxPending = 64

// maxSets bounds the parameter sets that are kept for the next picture, in
// bytes.
const maxSets = 1 << 16

// reasonFormat is shown when a new decoder is needed.
const reasonFormat = "the camera's picture format has changed"

// decoded is a raw picture on its way from the decoder to the redactor.
type decoded struct {
	pic redact.Picture
	in  *unit
	// done is when decoding ended.
	done time.Time
}

// unit is what is remembered of an access unit while its picture is under way.
type unit struct {
	number     uint64
	pts        int64
	captured   time.Time
	arrived    time.Time
	key        bool
	generation uint64
	begun      time.Time
	cost       time.Duration
}

// input is the state of the decode stage.
type input struct {
	p          *Pipeline
	open       func(decode.Options) (*decode.Decoder, error)
	dec        *decode.Decoder
	codec      transport.Codec // of what dec decodes
	sps        []byte
	epoch      uint64
	generation uint64
	whole      bool // nothing is missing since a key frame of this generation
	noRASL     bool // RASL pictures cannot be decoded since the last key frame
	id         int64
	number     uint64
	lastPTS    int64
	started    bool
	pending    map[int64]*unit
	// continuity sees every unit; sets are the parameter sets that came in units
	// of their own since the last one that was decoded.
	continuity bitstream.Continuity
	sets       []byte
}

// runDecode is the decode stage.
func (p *Pipeline) runDecode(ctx context.Context) error {
	in := &input{p: p, open: decode.New, epoch: p.o.Epoch, generation: p.gate.Generation(), pending: make(map[int64]*unit)}
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

// unit decodes one access unit. Whatever is wrong with it shuts the gate; the
// next complete key frame may open it again.
func (in *input) unit(u transport.CameraUnit) {
	begun := time.Now()
	if !rules.Discontinuity {
		u.Gap = transport.Gap{}
	}
	if jump := u.PTS - in.lastPTS; in.started && u.Gap.Kind == transport.GapNone && (jump > maxJump || jump < -maxJump) {
		u.Gap = transport.Gap{Kind: transport.GapLoss, Text: "camera's timestamps jumped", Intact: true}
	}
	in.measure(u)
	var gap string
	info, err := bitstream.Inspect(u.Codec, u.Data)
	if err == nil {
		gap, err = in.continuity.Check(info)
	}
	if err != nil {
		in.endGeneration(transport.FaultDamage, "unsupported or damaged video: "+err.Error())
		in.p.counts.unitsDropped.Add(1)
		return
	}
	if in.codec != "" && u.Codec != in.codec {
		in.forget()
	}
	if info.RASL && in.noRASL && u.Gap.Kind == transport.GapNone && (info.SPS == nil || bytes.Equal(info.SPS, in.sps)) {
		in.keepSets(info.Sets())
		in.p.counts.picturesWithheld.Add(1) // nothing needs it
		return
	}
	if rules.FrameNum && gap != "" && in.whole && u.Gap.Kind == transport.GapNone { // else it is known already
		u.Gap = transport.Gap{Kind: transport.GapLoss, Text: gap, Intact: true}
	}
	if u.Gap.Kind != transport.GapNone {
		in.endGeneration(in.p.gapFault(u.Gap.Kind), u.Gap.Text)
	}
	if info.SPS != nil && !bytes.Equal(info.SPS, in.sps) && (rules.NewSPS || in.sps == nil) {
		if err := in.renew(info); err != nil {
			in.endGeneration(transport.FaultFormat, err.Error())
			return
		}
	}
	if info.Slices == 0 { // no picture: the next one needs what is in it
		in.keepSets(info.Data)
		return
	}
	if generation := in.p.gate.Generation(); rules.Generation && generation != in.generation { // another stage has shut the gate
		in.generation, in.whole = generation, false
	}
	startable := info.Key && (u.Gap.Kind == transport.GapNone || u.Gap.Intact || !rules.Complete)
	if in.dec == nil || rules.Complete && !in.whole && !startable {
		if u.Codec == transport.H265 {
			in.keepSets(info.Sets()) // a key frame need not repeat them
		}
		in.p.gate.Explain(in.waiting())
		in.p.counts.picturesWithheld.Add(1)
		return
	}
	data := info.Data
	if startable {
		in.noRASL = !in.whole || info.BLA
		if !in.whole {
			data = info.AsFirst()
			in.restart()
		}
		in.whole = true
	}
	in.id++
	if len(in.pending) >= maxPending {
		clear(in.pending)
		in.endGeneration(transport.FaultDamage, "decoder holds back too many pictures")
		return
	}
	in.pending[in.id] = &unit{
		number: u.Number, pts: u.PTS, captured: u.Captured, arrived: u.Arrived, key: info.Key, generation: in.generation, begun: begun,
	}
	if len(in.sets) > 0 {
		data, in.sets = append(in.sets, data...), nil
	}
	if err := in.dec.Decode(data, in.id, in.picture); err != nil {
		in.endGeneration(transport.FaultDamage, "decoding failed: "+err.Error())
	}
}

// restart has an H.265 decoder begin as a new one at the next unit, with the parameter
// sets that it has: what it knows of where decoding began before is no longer true.
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

// waiting is the reason shown while units are skipped up to the next key frame: what
// broke the generation, as long as it says more than that.
func (in *input) waiting() string {
	if _, reason := in.p.gate.State(); reason != "" && reason != reasonStarting {
		return reason
	}
	return reasonWaiting
}

// measure follows the camera's picture interval, from which the stall deadline
// is derived.
func (in *input) measure(u transport.CameraUnit) {
	if in.started {
		d := time.Duration(u.PTS-in.lastPTS) * time.Second / transport.ClockRate
		if d > 0 && d < maxJump*time.Second/transport.ClockRate {
			old := in.p.interval.Load()
			if old == 0 {
				old = int64(d)
			}
			in.p.interval.Store(old + (int64(d)-old)/8)
		}
	}
	in.lastPTS, in.started = u.PTS, true
}

// endGeneration shuts the gate: nothing that comes now is known to be complete.
func (in *input) endGeneration(fault transport.Fault, reason string) {
	in.generation = in.p.shut(fault, reason)
	in.whole = false
}

// forget begins with nothing, because the camera sends another codec.
func (in *input) forget() {
	in.close()
	in.codec, in.sps, in.sets = "", nil, nil
	in.endGeneration(transport.FaultFormat, reasonFormat)
}

// renew makes a new decoder for a new SPS and begins a new epoch, with which
// tracker, scaler and encoder are made anew, too. Nothing of the old size lives
// on: a stale scale factor would put the mask in the wrong place.
func (in *input) renew(info bitstream.Info) error {
	first := in.sps == nil
	in.close()
	// Until there is a new one nothing is decoded, and any SPS begins one, that of
	// before, too.
	in.codec, in.sps = "", nil
	dec, err := in.open(decode.Options{Codec: info.Codec, Pool: &in.p.pool})
	if err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	in.dec, in.codec = dec, info.Codec
	in.sps = append([]byte(nil), info.SPS...)
	in.epoch++
	in.p.size.Store(uint64(info.Width)<<32 | uint64(info.Height)) //nolint:gosec // sizes are positive and bounded
	clear(in.pending)
	if !first {
		in.endGeneration(transport.FaultFormat, reasonFormat)
	}
	return nil
}

// picture takes one picture from the decoder.
func (in *input) picture(pic decode.Picture) error {
	now := time.Now()
	u := in.pending[pic.ID]
	delete(in.pending, pic.ID)
	if u != nil && u.key { // what was sent before it and has not come never will
		maps.DeleteFunc(in.pending, func(id int64, _ *unit) bool { return id < pic.ID })
	}
	damaged := u == nil || rules.Corrupt && pic.Corrupt
	if damaged || rules.Generation && u.generation != in.generation {
		in.p.pool.Put(pic.Image)
		in.p.counts.picturesWithheld.Add(1)
		if damaged {
			in.endGeneration(transport.FaultDamage, "damaged picture")
		}
		return nil
	}
	u.cost = now.Sub(u.begun)
	in.number++
	d := &decoded{in: u, done: now, pic: redact.Picture{
		Image: pic.Image, Camera: in.p.o.Camera, Epoch: in.epoch, Generation: u.generation, Number: in.number,
		Complete: in.whole || !rules.Complete, IDR: u.key, Captured: u.captured,
	}}
	if old, full := in.p.pictures.put(d); full {
		in.p.pool.Put(old.pic.Image)
		in.p.counts.picturesDropped.Add(1)
		in.p.overflow.drop(in.p.now(), old.in.arrived, pictureQueue)
	}
	return nil
}

// flush fetches what the decoder still holds.
func (in *input) flush() {
	if in.dec == nil {
		return
	}
	if err := in.dec.Flush(in.picture); err != nil {
		in.endGeneration(transport.FaultDamage, "decoding failed: "+err.Error())
	}
}

func (in *input) close() {
	if in.dec != nil {
		in.dec.Close()
		in.dec = nil
	}
}
