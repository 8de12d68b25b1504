package pipeline

import (
	"errors"
	"time"

	"scrim/transport"
)

// fault is one row of the matrix.
type fault struct {
	name string
	// play is called after some good pictures; nil: nothing happens.
	play func(s *show)
	// hides is set if viewers must get a slate; reason is the reason of all slates
	// until play returns.
	hides  bool
	reason string
	// fault must be counted and reported in an event.
	fault        transport.Fault
	lookahead    int
	size, format bool
	reorders     bool // with B-frames
	hevc         bool // in H.265
	slow         int  // the camera is so many times slower
}

const testLookahead = 8

// slowly makes it 5 pictures a second.
const slowly = filmRate / 5

func faults() []fault {
	list := []fault{
		{name: "none"},
		{name: "none, with look-ahead", lookahead: testLookahead},
		{name: "none, at 5 pictures a second", slow: slowly},
		{name: "loss of 0.1 %", play: loss(0.001, "packet loss"), hides: true, reason: "packet loss", fault: transport.FaultLoss},
		{name: "loss of 1 %", play: loss(0.01, "packet loss"), hides: true, reason: "packet loss", fault: transport.FaultLoss},
		{name: "loss of 5 %", play: loss(0.05, "packet loss"), hides: true, reason: "packet loss", fault: transport.FaultLoss},
		{name: "loss of a whole cycle of frame_num", play: func(s *show) { s.lose(16, "packet loss"); s.play(8) }, hides: true, fault: transport.FaultLoss},
		{name: "loss before RTP", play: loss(0.01, ""), hides: true, fault: transport.FaultLoss},
		{name: "long loss before RTP", play: func(s *show) { s.lose(9, ""); s.play(8) }, hides: true, reason: "pictures are missing", fault: transport.FaultLoss},
		{name: "units reordered", play: reordered, hides: true, fault: transport.FaultLoss},
		{name: "units twice", play: twice, hides: true, fault: transport.FaultLoss},
		{name: "units cut short", play: damaged(cutShort), hides: true, fault: transport.FaultDamage},
		{name: "bits flipped", play: damaged(flipBits), hides: true, fault: transport.FaultDamage},
		{name: "one bit flipped", play: oneBit}, // may be invisible, see there
		{name: "another size at an IDR", play: otherSize, size: true, hides: true, fault: transport.FaultFormat},
		{name: "another size inside a group", play: otherSizeInside, size: true, hides: true, fault: transport.FaultLoss},
		{name: "another SPS of the same size", play: otherFormat, format: true, hides: true, fault: transport.FaultFormat},
		{name: "detector fails", play: detector(fails), hides: true, reason: "face detection failed", fault: transport.FaultDetector},
		{name: "detector says NaN", play: detector(notNumbers), hides: true, reason: "face detection failed", fault: transport.FaultDetector},
		{name: "detector finds faces far outside", play: detector(adrift), hides: true, reason: "face detection failed", fault: transport.FaultDetector},
		{name: "detector panics", play: detector(panics), hides: true, fault: transport.FaultPanic},
		{name: "detector stalls", play: detectorStalls, hides: true, reason: causeStalled.Text, fault: transport.FaultStall},
		{name: "detector stalls, at 5 pictures a second", play: detectorStalls, hides: true, reason: causeStalled.Text, fault: transport.FaultStall, slow: slowly},
		{name: "obscurer fails", play: obscurer(fails), hides: true, reason: "obscuring failed", fault: transport.FaultObscurer},
		{name: "obscurer panics", play: obscurer(panics), hides: true, fault: transport.FaultPanic},
		{name: "tracker loses a face", play: tracker(loses), hides: true, reason: "face tracking failed", fault: transport.FaultTracker},
		{name: "tracker panics", play: tracker(panics), hides: true, fault: transport.FaultPanic},
		{name: "regions of the picture before", play: tracker(late), hides: true, fault: transport.FaultInspection},
		{name: "regions of an older picture", play: tracker(older), hides: true, fault: transport.FaultInspection},
		{name: "self-test fails", play: selfTestFails, hides: true, fault: transport.FaultSelfTest},
		{name: "pictures overflow", play: picturesOverflow, hides: true, fault: transport.FaultOverflow},
		{name: "viewer's side blocks", play: sinkBlocks, hides: true, fault: transport.FaultOverflow},
		{name: "viewer's side blocks and the camera goes", play: sinkBlocksAndCameraGoes, hides: true, fault: transport.FaultCamera},
		{name: "viewer's side blocks in the slate before a picture", play: sinkBlocksInSlate, hides: true, fault: transport.FaultLoss},
		{name: "camera goes", play: cameraGoes, hides: true, reason: "camera unreachable", fault: transport.FaultCamera},
		{name: "camera is silent", play: func(s *show) { s.silence(30) }, hides: true, reason: causeStalled.Text, fault: transport.FaultStall},
		{name: "camera is silent, at 5 pictures a second", play: func(s *show) { s.silence(6) }, hides: true, reason: causeStalled.Text,
			fault: transport.FaultStall, slow: slowly},
		{name: "timestamps jump", play: func(s *show) { s.pts += 10 * transport.ClockRate; s.play(3) }, hides: true, reason: "the camera's timestamps jumped",
			fault: transport.FaultLoss},
		{name: "loss while a key frame is inspected", play: lossDuringInspection, hides: true, fault: transport.FaultLoss},
		{name: "pictures mixed up while they wait", play: mixedUp, lookahead: 30, hides: true, fault: transport.FaultInspection},
	}
	for _, f := range list { // and with look-ahead
		switch f.name {
		case "loss of 5 %", "loss before RTP", "units cut short", "another size at an IDR", "detector fails", "detector panics",
			"tracker loses a face", "camera goes":
			f.name, f.lookahead = f.name+", with look-ahead", testLookahead
			list = append(list, f)
		}
	}
	for _, f := range list { // and with B-frames
		switch f.name {
		case "none", "loss of 1 %", "long loss before RTP", "units cut short", "units reordered", "detector fails", "camera goes":
			f.name, f.reorders = f.name+", with B-frames", true
			list = append(list, f)
		}
	}
	for _, f := range list { // and in H.265
		switch f.name {
		case "none", "loss of 1 %", "long loss before RTP", "units cut short", "units twice":
			f.name, f.hevc = f.name+", in H.265", true
			list = append(list, f)
		}
	}
	return list
}

// loss loses at least one unit at random, and continues to the end of a group. A loss
// before RTP is not reported.
func loss(rate float64, why string) func(*show) {
	return func(s *show) {
		lost := false
		for end := s.next + 2*filmGroup - 5; s.next < end; {
			if s.rng.Float64() < rate || !lost && s.next%filmGroup == 20 {
				lost = true
				n := 1
				if why == "" || rate > 0.01 { // they come in bursts
					n += s.rng.IntN(9)
				}
				s.lose(n, why)
				continue
			}
			s.play(1)
		}
	}
}

func reordered(s *show) {
	for range 6 {
		i := s.next
		s.next = i + 5
		s.play(1)
		s.next = i
		s.play(5)
		s.next++
	}
}

func twice(s *show) {
	for range 6 {
		s.play(2)
		s.next--
	}
}

// damaged changes the slices of a run of units.
func damaged(change func(s *show, data []byte) []byte) func(*show) {
	return func(s *show) {
		for range 2 {
			for range 15 {
				u := s.unit(s.film, s.next)
				u.Data = change(s, append([]byte(nil), u.Data...))
				s.send(u, s.film.first+uint32(s.next)) //nolint:gosec // small
				s.next++
			}
			s.play(filmGroup - s.next%filmGroup + 10)
		}
	}
}

func cutShort(s *show, data []byte) []byte { return data[:len(data)/4+s.rng.IntN(len(data)/2)] }

// oneBit flips one bit in each of two groups. A decoder need not notice: in two of 90
// films a piece of a face then moves next to its place, until the next IDR. No rule can
// detect that, so the detector must find the face; that of the oracle does here.
func oneBit(s *show) {
	s.detector.see()
	for range 2 {
		s.play(1 + s.rng.IntN(15))
		u := s.unit(s.film, s.next)
		u.Data = append([]byte(nil), u.Data...)
		u.Data[24+s.rng.IntN(len(u.Data)-24)] ^= 1 << s.rng.IntN(8)
		s.send(u, s.film.first+uint32(s.next)) //nolint:gosec // small
		s.next++
		s.play(filmGroup + 10 - s.next%filmGroup)
	}
}

// flipBits flips some bits behind the slice header.
func flipBits(s *show, data []byte) []byte {
	const header = 24
	for range 1 + s.rng.IntN(4) {
		if len(data) > 2*header {
			data[header+s.rng.IntN(len(data)-header)] ^= 1 << s.rng.IntN(8)
		}
	}
	return data
}

// sendOther sends units of another film.
func (s *show) sendOther(f *film, from, n int) {
	for i := from; i < from+n; i++ {
		s.send(s.unit(f, i), f.first+uint32(i)) //nolint:gosec // small
	}
	s.pts += int64(from+n-s.next) * transport.ClockRate / filmRate
}

func otherSize(s *show) {
	s.sendOther(s.spare, filmGroup, 20)
}

// otherSizeInside: the IDR of the new size is lost, and the loss is not reported.
func otherSizeInside(s *show) { s.sendOther(s.spare, filmGroup+3, 20) }

// otherFormat: the IDR of another SPS is lost, but its parameter sets arrive.
func otherFormat(s *show) {
	for i := filmGroup + 1; i < filmGroup+20; i++ {
		u := s.unit(s.format, i)
		if i == filmGroup+1 {
			idr := s.format.units[filmGroup].Data
			u.Data = append(append([]byte(nil), idr[:firstSlice(idr)]...), u.Data...)
		}
		s.send(u, s.format.first+uint32(i)) //nolint:gosec // small
	}
}

// firstSlice returns where the first slice of a unit begins, start code
// included.
func firstSlice(data []byte) int {
	for i := 0; i+3 < len(data); i++ {
		if data[i] == 0 && data[i+1] == 0 && data[i+2] == 1 && (data[i+3]&0x1f == 5 || data[i+3]&0x1f == 1) {
			return i
		}
	}
	return len(data)
}

func detector(o oddity) func(*show) {
	return func(s *show) {
		s.detector.set(o)
		s.play(3)
		s.detector.set(sound)
	}
}

func tracker(o oddity) func(*show) {
	return func(s *show) {
		s.tracker.set(o)
		s.play(8)
		s.tracker.set(sound)
	}
}

func obscurer(o oddity) func(*show) {
	return func(s *show) {
		s.obscurer.set(o)
		s.play(3)
		s.obscurer.set(sound)
	}
}

func cameraGoes(s *show) {
	s.p.Input("camera unreachable")
	s.play(3)
}

// silence passes time without units.
func (s *show) silence(pictures int) {
	for range pictures {
		s.pass()
	}
}

// detectorStalls: one pass takes longer than a picture may stay.
func detectorStalls(s *show) {
	release := s.detector.hold()
	s.held = true
	s.play(1)
	<-s.detector.inside
	s.silence(20 / min(s.slow, 4))
	release()
	s.held = false
	s.play(1)
}

func selfTestFails(s *show) {
	for range 300 { // minutes of silence, in larger steps
		s.time.pass(time.Second)
	}
	s.due()
	s.unbound = true // for these steps
	s.selfMu.Lock()
	s.self = errors.New("the drawn face is not found")
	s.selfMu.Unlock()
	s.detector.set(blind)
	s.play(20)
	s.detector.set(sound)
	s.selfMu.Lock()
	s.self = nil
	s.selfMu.Unlock()
}

// picturesOverflow: units come in bursts while the detector works on one picture.
func picturesOverflow(s *show) {
	for range 3 {
		release := s.detector.hold()
		s.held = true
		s.play(8)
		release()
		s.held = false
		for len(s.detector.inside) > 0 {
			<-s.detector.inside
		}
		s.play(3)
	}
}

// block makes the sink block at the next output. Slates cannot come then, either.
func (s *show) block() (release func()) {
	s.settle()
	release = s.closeSink()
	s.held, s.unbound = true, true
	s.play(1)
	<-s.entered
	return release
}

// blockNext releases the output in the sink, and makes the next one block.
func (s *show) blockNext() (release func()) {
	before := s.sink
	release = s.closeSink()
	close(before)
	<-s.entered
	return release
}

func (s *show) closeSink() (release func()) {
	wait := make(chan struct{})
	s.sinkMu.Lock()
	s.sink = wait
	s.sinkMu.Unlock()
	return func() {
		s.sinkMu.Lock()
		s.sink = nil
		s.sinkMu.Unlock()
		s.held = false
		close(wait)
	}
}

// rest waits until the frames before a blocked sink are the newest.
func (s *show) rest() {
	for begun := time.Now(); !done(s.p.pictures); time.Sleep(50 * time.Microsecond) {
		if time.Since(begun) > testTimeout {
			s.t.Fatal("the pipeline does not come to rest")
		}
	}
}

func sinkBlocks(s *show) {
	for _, wait := range []int{0, 90} { // the second time so long that what waits is too old
		release := s.block()
		s.play(7)
		s.rest()
		s.silence(wait)
		release()
		s.play(3)
	}
}

func sinkBlocksAndCameraGoes(s *show) {
	release := s.block()
	inSink := s.last
	s.play(7)
	s.rest()
	s.p.Input("camera unreachable")
	s.generation = s.p.gate.Generation()
	s.cut = s.sent[s.last] + 1
	s.sent[inSink] = s.cut // it was in the sink already
	release()
	s.play(2)
}

// sinkBlocksInSlate: the slate before the picture that has opened the gate blocks.
// Meanwhile that picture becomes too old, or the gate is shut.
func sinkBlocksInSlate(s *show) {
	for _, silence := range []int{90, 0} {
		s.block() // a picture, so that the slate is not sent while the gate is shut
		inSink := s.last
		s.lose(filmGroup-s.next%filmGroup, "packet loss")
		s.play(1)
		s.rest()
		release := s.blockNext()
		s.generation, s.cut = s.p.gate.Generation(), s.sent[s.last]
		if silence == 0 {
			s.p.Input("camera unreachable")
			s.generation, s.cut = s.p.gate.Generation(), s.sent[s.last]+1
		}
		s.sent[inSink] = s.cut // it was in the sink already
		s.silence(silence)
		release()
		s.play(3)
	}
}

// lossDuringInspection: a loss is noticed while the detector inspects an IDR.
func lossDuringInspection(s *show) {
	s.lose(1, "packet loss")
	s.play(filmGroup - s.next%filmGroup)
	release := s.detector.hold()
	s.held = true
	s.play(1)
	<-s.detector.inside
	idr := s.last
	s.lose(9, "packet loss")
	s.play(1)
	release()
	s.held = false
	s.cut, s.generation = s.sent[idr]+1, s.p.gate.Generation()
	s.play(8)
}

// mixedUp: a picture replaces another between inspection and release, as if buffers
// were mixed up.
func mixedUp(s *show) {
	var waiting []*job
	first := s.next + 1
	for range 25 {
		release := s.detector.hold()
		s.held = true
		s.play(1) // the detector is at this one
		<-s.detector.inside
		s.play(1) // this one waits in the queue
		s.p.pictures.mu.Lock()
		waiting = append(waiting, s.p.pictures.items...)
		s.p.pictures.mu.Unlock()
		release()
		s.held = false
		s.settle()
		for len(s.detector.inside) > 0 {
			<-s.detector.inside
		}
		if n := len(waiting); n >= 14 {
			for i := range 3 {
				a, b := waiting[i], waiting[n-3+i]
				a.pic, b.pic = b.pic, a.pic
			}
			s.struck = s.since() + filmStep*time.Duration(s.tracker.Lookahead()-(s.next-first)) // when the first is released
			break
		}
	}
	s.play(40)
}
