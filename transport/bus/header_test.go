package bus

import (
	"image"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
	"scrim/transport"
)

func TestSubjectsReadBackAsWritten(t *testing.T) {
	for subject, want := range map[string]Address{
		"scrim.v1.plant-1.gate.video.main":       {Site: "plant-1", Camera: "gate", Kind: KindVideo, Rendition: "main"},
		"scrim.v1.plant-1.gate.status":           {Site: "plant-1", Camera: "gate", Kind: KindStatus},
		"scrim.v1.plant-1.gate.events":           {Site: "plant-1", Camera: "gate", Kind: KindEvents},
		"scrim.v1.plant-1.gate.request.keyframe": {Site: "plant-1", Camera: "gate", Kind: KindKeyframe},
		"scrim.v1.plant-1.gate.request.snapshot": {Site: "plant-1", Camera: "gate", Kind: KindSnapshot},
	} {
		got, err := ParseSubject(subject)
		require.NoError(t, err, subject)
		assert.Equal(t, want, got)
		assert.Equal(t, subject, got.Subject())
	}
}

func TestForeignSubjectsAreRefused(t *testing.T) {
	for _, subject := range []string{
		"", "scrim.v1.", "scrim.v2.a.b.status", "scrim.v1.a.b", "scrim.v1.a.b.video", "scrim.v1.a.b.video.", "scrim.v1.a.b.video.x.y",
		"scrim.v1.a.*.status", "scrim.v1.>", "scrim.v1.a.b.status.x", "scrim.v1.A.b.status", "scrim.v1.a..status", "scrim.v1.a.b.request",
		"scrim.v1." + strings.Repeat("a", 64) + ".b.status", "scrim.v1.a b.c.status",
	} {
		_, err := ParseSubject(subject)
		assert.Error(t, err, subject)
	}
}

func FuzzSubject(f *testing.F) {
	f.Add("scrim.v1.plant-1.gate.video.main")
	f.Add("scrim.v1.plant-1.gate.request.keyframe")
	f.Add("scrim.v1.a.b.video.*")
	f.Fuzz(func(t *testing.T, subject string) {
		a, err := ParseSubject(subject)
		if err == nil && a.Subject() != subject {
			t.Fatalf("%q reads as %q", subject, a.Subject())
		}
	})
}

func TestHeadersReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, transport.MaxSide).Draw(t, "w"), rapid.IntRange(1, transport.MaxSide).Draw(t, "h")
		u := &transport.RedactedUnit{
			Camera: camera, Rendition: "main",
			Epoch: rapid.Uint64Min(1).Draw(t, "epoch"), Seq: rapid.Uint64Min(1).Draw(t, "seq"),
			PTS: rapid.Int64().Draw(t, "pts"), Captured: time.Unix(0, rapid.Int64().Draw(t, "captured")),
			Key: rapid.Bool().Draw(t, "key"), Codec: rapid.StringMatching(`[a-z0-9.]{1,32}`).Draw(t, "codec"),
			Width: w, Height: h,
			State:  rapid.SampledFrom([]transport.State{transport.StateLive, transport.StateObscured, transport.StateOffline}).Draw(t, "state"),
			Reason: reason(rapid.String().Draw(t, "reason")),
			Data:   []byte{1},
		}
		for range rapid.IntRange(0, 5).Draw(t, "regions") {
			x, y := rapid.IntRange(0, w-1).Draw(t, "x"), rapid.IntRange(0, h-1).Draw(t, "y")
			r := geom.Region{
				Rect:  image.Rect(x, y, rapid.IntRange(x+1, w).Draw(t, "x2"), rapid.IntRange(y+1, h).Draw(t, "y2")),
				Score: float64(rapid.IntRange(0, scoreSteps).Draw(t, "score")) / scoreSteps,
				Track: rapid.Uint64().Draw(t, "track"), Source: rapid.SampledFrom(sources[:]).Draw(t, "source").source,
			}
			if rapid.Bool().Draw(t, "face") {
				at := func(name string, least int) float64 {
					return float64(rapid.IntRange(least, maxFaceSteps).Draw(t, name)) / pixelSteps
				}
				r.Face = geom.Box{X: at("fx", -maxFaceSteps/2), Y: at("fy", -maxFaceSteps/2), W: at("fw", 1), H: at("fh", 1)}
			}
			u.Regions = append(u.Regions, r)
		}
		header := nats.Header{}
		writeHeader(header, u, 1, 1)
		p, err := parsePart(Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: "main"}, header, u.Data)
		if err != nil {
			t.Fatal(err)
		}
		assert.Equal(t, u, &p.unit)
	})
}

func TestReasonIsOneBoundedLine(t *testing.T) {
	for _, text := range []string{"a\r\nScrim-Camera: other", "\xff\xfe", strings.Repeat("é", 400), "tab\tnul\x00", "  "} {
		got := reason(text)
		assert.LessOrEqual(t, len(got), maxReasonBytes)
		assert.NotContains(t, got, "\n")
		assert.NotContains(t, got, "\r")
		assert.Equal(t, strings.ToValidUTF8(got, ""), got)
	}
}

func TestHeadersOfTheMostRegionsFitTheBound(t *testing.T) {
	u := unit(1<<63, 1<<63, true)
	u.Width, u.Height, u.Reason, u.Codec = transport.MaxSide, transport.MaxSide, strings.Repeat("r", 1000), strings.Repeat("c", transport.MaxCodecBytes)
	u.Regions = nil
	for range 2 * MaxRegions {
		u.Regions = append(u.Regions, geom.Region{
			Rect: image.Rect(1000, 1000, transport.MaxSide, transport.MaxSide), Score: 1, Source: "held", Track: math.MaxUint64,
			Face: geom.Box{X: math.Inf(-1), Y: math.Inf(-1), W: math.Inf(1), H: 1e9},
		})
	}
	h := nats.Header{}
	writeHeader(h, u, 1, maxParts)
	size := 0
	for k, v := range h {
		size += len(k) + len(v[0]) + 4
	}
	assert.Less(t, size, maxHeaderBytes)
	p, err := parsePart(Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: "main"}, h, []byte{1})
	require.NoError(t, err)
	assert.Len(t, p.unit.Regions, MaxRegions)
	assert.Equal(t, geom.Box{X: -transport.MaxSide, Y: -transport.MaxSide, W: 2 * transport.MaxSide, H: 2 * transport.MaxSide}, p.unit.Regions[0].Face)
}

func TestRegionsOfAnOlderSenderAreRead(t *testing.T) {
	h := nats.Header{}
	writeHeader(h, unit(1, 1, true), 1, 1)
	assert.Equal(t, "1,2,29,38;1900,1000,20,80", h.Get(hdrRegions))
	assert.Equal(t, "d,8731,17,55,-31,200,249;z,0,0", h.Get(hdrFaces))
	delete(h, hdrFaces)
	p, err := parsePart(Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: "main"}, h, []byte{1})
	require.NoError(t, err)
	assert.Equal(t, []geom.Region{{Rect: image.Rect(1, 2, 30, 40)}, {Rect: image.Rect(1900, 1000, 1920, 1080)}}, p.unit.Regions)
}

func TestWhatIsSaidOfRegionsMustBeSaidOfEachAndWithinBounds(t *testing.T) {
	h := nats.Header{}
	writeHeader(h, unit(1, 1, true), 1, 1)
	for _, faces := range []string{
		"d,1,1", "d,1,1;d,1,1;d,1,1", ";", "x,1,1;z,0,0", "dd,1,1;z,0,0", "d,10001,1;z,0,0", "d,-1,1;z,0,0", "d,1,-1;z,0,0", "d,1;z,0,0", "d,1,1,;z,0,0",
		"d,1,1,1,2,3;z,0,0", "d,1,1,1,2,3,4,5;z,0,0", "d,1,1,1,2,0,4;z,0,0", "d,1,1,1,2,3,-4;z,0,0", "d,1,1,9999999,2,3,4;z,0,0",
		"d,1,1,-81921,2,3,4;z,0,0", "d,1,1,1.5,2,3,4;z,0,0", strings.Repeat("d", maxHeaderBytes) + ";z,0,0",
	} {
		h[hdrFaces] = []string{faces}
		_, err := parsePart(Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: "main"}, h, []byte{1})
		require.ErrorIs(t, err, ErrInvalid, "%.60s", faces)
	}
}

// FuzzUnit reads what may come off the bus: whatever is accepted keeps the
// bounds, and is of the subject's camera.
func FuzzUnit(f *testing.F) {
	add := func(h map[string]string) {
		var b strings.Builder
		for k, v := range h {
			b.WriteString(k + ": " + v + "\r\n")
		}
		f.Add(b.String(), []byte{0, 0, 0, 1, 0x65})
	}
	good := map[string]string{
		hdrCamera: camera, hdrEpoch: "7", hdrSeq: "1", hdrPTS: "-90", hdrCaptured: "1700000000000000000", hdrKey: "1",
		hdrCodec: "avc1.42c01f", hdrSize: "1920x1080", hdrState: "live", hdrRegions: "1,2,3,4;5,6,7,8", hdrFaces: "d,9000,3,15,-25,30,40;z,0,0",
		hdrReason: "none", hdrCovered: "motion", hdrPart: "1/2",
	}
	add(good)
	for name, bad := range map[string]string{
		hdrCamera: "lobby", hdrEpoch: "0", hdrSeq: "-1", hdrPTS: "1e9", hdrKey: "yes", hdrCodec: "a b", hdrSize: "0x0", hdrState: "failed",
		hdrCovered: "nothing", hdrRegions: "1,2,3", hdrFaces: "d,1,1", hdrPart: "3/2",
	} {
		h := maps.Clone(good)
		h[name] = bad
		add(h)
	}
	at := Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: "main"}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		h, err := nats.DecodeHeadersMsg([]byte("NATS/1.0\r\n" + text + "\r\n"))
		if err != nil {
			return
		}
		p, err := parsePart(at, h, data)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		require.Equal(t, camera, p.unit.Camera)
		require.True(t, 1 <= p.n && p.n <= p.m && p.m <= maxParts)
		if p.n > 1 {
			return
		}
		require.NoError(t, checkUnit(&p.unit))
		for _, r := range p.unit.Regions {
			require.True(t, r.Rect.In(image.Rect(0, 0, p.unit.Width, p.unit.Height)))
			require.True(t, r.Score >= 0 && r.Score <= 1)
			require.True(t, max(r.Face.X, r.Face.Y, r.Face.W, r.Face.H) <= 2*transport.MaxSide)
		}
		again := nats.Header{}
		writeHeader(again, &p.unit, p.n, p.m)
		q, err := parsePart(at, again, data)
		require.NoError(t, err)
		require.Equal(t, p, q)
	})
}

func TestSmallerEpochIsTakenOnlyAfterTheGreaterIsSilent(t *testing.T) {
	var q sequence
	now := time.Unix(1700000000, 0)
	v, _ := q.admit(9, 1, true, now)
	require.Equal(t, deliver, v)
	v, _ = q.admit(8, 100, true, now.Add(staleEpoch-1))
	assert.Equal(t, stale, v)
	v, _ = q.admit(8, 101, false, now.Add(staleEpoch))
	assert.Equal(t, skip, v)
	v, _ = q.admit(8, 102, true, now.Add(staleEpoch))
	assert.Equal(t, deliver, v)
}

// FuzzParts: whatever order parts come in, a unit that comes out has all of its
// own parts and no others.
func FuzzParts(f *testing.F) {
	f.Add([]byte{0x12, 0x22, 0x13, 0x23, 0x33})
	f.Add([]byte{0x12, 0x13, 0x22, 0x22})
	f.Add([]byte{0x11, 0x14, 0x24, 0x34, 0x44})
	f.Fuzz(func(t *testing.T, order []byte) {
		var a assembler
		for i, b := range order {
			n, m := int(b>>4&3)+1, int(b&3)+1
			if n > m {
				continue
			}
			p := &part{n: n, m: m}
			p.unit.Epoch, p.unit.Seq, p.unit.Data = 1, uint64(b>>6), []byte{byte(n)}
			if got, _ := a.add(p); got != nil {
				require.Equal(t, m, got.m, "message %d", i)
				require.Equal(t, []byte{1, 2, 3, 4}[:m], got.unit.Data)
			}
		}
	})
}
