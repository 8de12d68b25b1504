package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/redact/geom"
	"scrim/redact/zone"
	"scrim/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample is one message of each type, with every field set.
type sample struct {
	typ  Type
	head any
	body []byte
}

func samples() []sample {
	return []sample{
		{TypeConfig, Config{
			Site: "north", Camera: "hall", Epoch: math.MaxUint64,
			Detect: DetectConfig{
				Model: "/models/a b.onnx", ModelName: "yunet-n", SHA256: strings.Repeat("0f", 32), Engine: "scrim", Size: 640, Threshold: 0.3,
				Tiles: true, TileAreas: [][4]float64{{0.1, 0.2, 0.3, 0.4}}, SkipUnchanged: true,
			},
			Cover:     CoverConfig{Mode: "people", Absorb: time.Minute},
			Sight:     SightConfig{NeedPixels: 48, NeedPercent: 5, WhenBlind: "slate", Interval: 10 * time.Second},
			Rotate:    RotateConfig{By: geom.Turned270, View: true},
			Lookahead: 8,
			Zones: []zone.Zone{{
				Kind: "ignore", Name: "lobby screen", Reason: "public_display",
				Polygon: []zone.Point{{X: 0.25, Y: 0.5}, {X: 1, Y: 0.125}, {X: 0.5, Y: 1}},
			}},
			Obscure: ObscureConfig{Style: "blur", Padding: 0.3, PaddingTop: 0.5, Cells: 5, Cosmetic: true},
			Encode:  EncodeConfig{Bitrate: 2_000_000, Preset: "ultrafast", KeyframeInterval: 2 * time.Second},

			HavePreparedSlates: true, RequireSandbox: true,
		}, nil},
		{TypeUnit, transport.CameraUnit{
			Number: 8, Codec: transport.H264, PTS: -1, Captured: time.Unix(0, math.MaxInt64).UTC(), Arrived: time.Unix(0, math.MinInt64).UTC(),
			Gap: transport.Gap{Kind: transport.GapLoss, Text: "gap <&> \u2028", Intact: true},
		}, []byte{0, 0, 0, 1, 0x65}},
		{TypeInput, Input{Reason: "the camera is silent"}, nil},
		{TypeKeyframe, Keyframe{Fence: 3}, nil},
		{TypeSnapshotRequest, SnapshotRequest{}, nil},
		{TypeHello, Hello{
			Detector: "yunet-n", ModelSHA256: strings.Repeat("a0", 32), Warning: "the detector is slow", Sandbox: Sandbox{{"seccomp", true, "all"}},
		}, nil},
		{TypeOutput, Output{
			RedactedUnit: transport.RedactedUnit{
				Epoch: 7, Seq: math.MaxUint64, PTS: 90_000, Captured: time.Unix(0, 1).UTC(), Key: true, Codec: "avc1.42c01f", Width: 1280, Height: 720,
				State: transport.StateLive, Reason: "none",
			}, Fault: transport.FaultLoss, Fence: 4,
			SelfTest: &SelfTest{At: 12, Failure: "the face is not found"},
			Record: &Record{
				Picture: 3, Unit: 7, Arrived: 4, Inspected: 5,
				Regions: []geom.RegionRecord{{
					X: -3, Y: 1, W: 17, H: 21, Face: geom.Box{X: 1.5, Y: 2.5, W: 1, H: 2}, Score: 0.9, Source: "detected", Track: 11, Rotation: geom.Turned90,
				}},
				Stages: Stages{Queue: 1, Decode: 2, Wait: 3, Sight: 10, Detect: 4, Motion: 11, Track: 5, Obscure: 6, Encode: 7, CPU: 8, Allocated: 9},
			},
			Counts: Counts{UnitsDropped: 1, PicturesDropped: 2, PicturesWithheld: 3}, Unproved: transport.BlindDark,
			Sight: &transport.Sight{
				Size: 34, Painted: 30, Table: 34, Need: 48, Proved: true, Why: transport.BlindDark, Tested: time.Unix(3, 0).UTC(), Warning: "w",
				Condition:  &transport.Condition{Dark: 1, Median: 2, Bright: 3, Contrast: 4, Noise: 5, Blur: 6, Clipped: 0.5},
				DetectSize: 640, Tiles: true, Cols: 2, Rows: 1, Parts: []transport.SightPart{{Size: 30, Faces: []uint32{1}}, {Size: 34}},
			},
		}, bytes.Repeat([]byte("SCR1"), 5000)},
		{TypePreparedSlate, PreparedSlate{Kind: SlateHang, Snapshot: true, Part: 1, Codec: "avc1.42c01f", Width: 1280, Height: 720}, []byte{0, 0, 0, 1, 0x67}},
		{TypeHeartbeat, Heartbeat{Encoding: 40_000_000}, nil},
		{TypeSnapshot, Snapshot{
			Snapshot: transport.Snapshot{Captured: time.Unix(0, 5).UTC(), Width: 1280, Height: 720, State: "obscured", Reason: "starting"}, Unit: 6, Fence: 3,
		}, []byte{0xff, 0xd8}},
		{TypeFailure, Failure{Reason: "the model is corrupt", Permanent: true}, nil},
		{TypeFiles, Files{
			Detect: DetectConfig{
				Model: "/m.onnx", ModelName: "yunet-n", SHA256: strings.Repeat("0f", 32), Engine: "scrim", Size: 640, Threshold: 0.3,
				Tiles: true, TileAreas: [][4]float64{{0.1, 0.2, 0.3, 0.4}}, SkipUnchanged: true,
			},
			Sizes: []int{640, 1280}, Rotate: RotateConfig{By: geom.Turned90, View: true}, AllWays: true, Lookahead: 30, KeepAudio: true, SecondLook: true,
			Zones:   []zone.Zone{{Kind: "mask", Name: "n", Reason: "r", Polygon: []zone.Point{{X: 0.1, Y: 0.2}, {X: 0.9, Y: 0.2}, {X: 0.5, Y: 0.9}}}},
			Obscure: ObscureConfig{Style: "blur", Padding: 0.3, PaddingTop: 0.5, Cells: 5, Cosmetic: true},
			Cover:   CoverConfig{Mode: "motion", Absorb: time.Minute},
			Sight:   SightConfig{NeedPixels: 48, NeedPercent: 5, WhenBlind: "warn", Interval: 10 * time.Second},
		}, nil},
		{TypeLook, Look{Detect: DetectConfig{
			Model: "/m.onnx", ModelName: "yunet-n", SHA256: strings.Repeat("0f", 32), Engine: "scrim", Size: 640, Threshold: 0.3,
			Tiles: true, TileAreas: [][4]float64{{0.1, 0.2, 0.3, 0.4}}, SkipUnchanged: true,
		}}, nil},
		{TypeLooked, Looked{Error: "it holds no picture", Faces: map[geom.Rotation]int{geom.Turned90: 3}}, nil},
		{TypeFile, File{Name: "a/b.mp4", Kind: Video, In: "/in/a/b.mp4", Out: "/out/a/b.mp4", Temp: "/out/a/.b.mp4.x.partial"}, nil},
		{TypeFileBegin, FileBegin{Frames: 7}, nil},
		{TypeFileFrame, FileFrame{
			File: "a/b.mp4", Frame: 3, PTS: 0.12, Width: 320, Height: 240, Cover: CoverMotion, Blind: "too dark",
			Regions: []geom.RegionRecord{{
				X: 1, Y: 2, W: 3, H: 4, Face: geom.Box{X: 1.5, Y: 2.5, W: 1, H: 2}, Score: 0.9, Source: "backfilled", Track: 2, Rotation: geom.Turned90,
			}},
		}, nil},
		{TypeFileEnd, FileEnd{
			Error: "it holds no picture", Frames: 9, Failsafe: 1, Reason: "input is damaged",
			Blind: 2, BlindRuns: []FileBlind{{From: 1.5, To: 2.25, Why: "too noisy", Cover: CoverWhole}},
			Incomplete: "read error", Warning: "it is short", Audio: 1, Dropped: 2,
		}, nil},
	}
}

// encode returns messages as sent over the pipe.
func encode(t testing.TB, list ...sample) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, s := range list {
		require.NoError(t, w.Write(s.typ, s.head, s.body))
	}
	return b.Bytes()
}

// header returns a message's header.
func header(t Type, head, body uint32) []byte {
	b := append([]byte("SCR1"), byte(t), 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, head)
	return binary.BigEndian.AppendUint32(b, body)
}

// requireSetEverywhere fails if a field of a sample has its zero value, so that the round
// trip covers fields added later.
func requireSetEverywhere(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch at, isTime := reflect.TypeAssert[time.Time](v); {
	case isTime:
		require.False(t, at.IsZero(), path)
	case v.Kind() == reflect.Pointer:
		require.False(t, v.IsNil(), path)
		requireSetEverywhere(t, v.Elem(), path)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				requireSetEverywhere(t, v.Field(i), path+"."+f.Name)
			}
		}
	case v.Kind() == reflect.Slice:
		require.NotZero(t, v.Len(), path)
		requireSetEverywhere(t, v.Index(0), path)
	default:
		require.False(t, v.IsZero(), "%s is not set in the sample", path)
	}
}

func TestEveryMessageComesOutAsItWentIn(t *testing.T) {
	list := samples()
	// A pipe may return as little as one byte at a time.
	r := NewReader(iotest.OneByteReader(bytes.NewReader(encode(t, list...))))
	for _, s := range list {
		requireSetEverywhere(t, reflect.ValueOf(s.head), fmt.Sprintf("%T", s.head))
		m, err := r.Read()
		require.NoError(t, err)
		require.Equal(t, s.typ, m.Type)
		require.Equal(t, s.body, m.Body)
		got := reflect.New(reflect.TypeOf(s.head))
		require.NoError(t, m.Decode(got.Interface()))
		require.Equal(t, s.head, got.Elem().Interface())
	}
	_, err := r.Read()
	require.Equal(t, io.EOF, err)
}

func TestBytesOnThePipeAreAsDocumented(t *testing.T) {
	const head = `{"reason":"x"}`
	want := string(header(TypeInput, uint32(len(head)), 2)) + head + "ab"
	require.Equal(t, want, string(encode(t, sample{TypeInput, Input{Reason: "x"}, []byte("ab")})))
}

func TestBodyBelongsToTheReceiver(t *testing.T) {
	one, two := []byte("first body"), []byte("other body")
	r := NewReader(bytes.NewReader(encode(t, sample{TypeUnit, transport.CameraUnit{}, one}, sample{TypeUnit, transport.CameraUnit{}, two})))
	first, err := r.Read()
	require.NoError(t, err)
	second, err := r.Read()
	require.NoError(t, err)
	require.Equal(t, one, first.Body)
	require.Equal(t, two, second.Body)
}

func TestMessageCutAtAnyByteIsTold(t *testing.T) {
	for _, s := range samples() {
		// Whole bodies of thousands of bytes add nothing here.
		s.body = s.body[:min(len(s.body), 9)]
		whole := encode(t, s)
		for n := range whole {
			_, err := NewReader(bytes.NewReader(whole[:n])).Read()
			if n == 0 {
				require.Equal(t, io.EOF, err)
				continue
			}
			require.Equal(t, io.ErrUnexpectedEOF, err, "type %q cut after %d of %d bytes", s.typ, n, len(whole))
		}
	}
}

func TestOtherErrorsOfThePipeComeThrough(t *testing.T) {
	whole := encode(t, sample{TypeUnit, transport.CameraUnit{}, []byte("body")})
	broken := errors.New("broken pipe")
	for n := range whole {
		_, err := NewReader(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(broken))).Read()
		require.ErrorIs(t, err, broken, "after %d bytes", n)
	}
}

func TestGarbageIsAProtocolError(t *testing.T) {
	good := encode(t, sample{TypeKeyframe, Keyframe{}, nil})
	damaged := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 0x20
		return b
	}
	for name, data := range map[string][]byte{
		"text":             []byte("panic: runtime error: index out of range"),
		"zeros":            make([]byte, 64),
		"magic, 1st byte":  damaged(0),
		"magic, 2nd byte":  damaged(1),
		"magic, 3rd byte":  damaged(2),
		"magic, 4th byte":  damaged(3),
		"padding, 1st":     damaged(5),
		"padding, 2nd":     damaged(6),
		"padding, 3rd":     damaged(7),
		"shifted by one":   append([]byte{'S'}, good...),
		"head over bound":  header(TypeUnit, MaxHeadBytes+1, 0),
		"body over bound":  header(TypeUnit, 2, MaxBodyBytes+1),
		"head all ones":    header(TypeUnit, math.MaxUint32, 0),
		"body all ones":    header(TypeUnit, 0, math.MaxUint32),
		"both over bounds": header(TypeUnit, math.MaxUint32, math.MaxUint32),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := NewReader(bytes.NewReader(data)).Read()
			require.ErrorIs(t, err, ErrProtocol)
			require.NotErrorIs(t, err, io.EOF)
			require.Nil(t, m)
		})
	}
}

func TestRefusedMessageIsNotReadFurther(t *testing.T) {
	rest := bytes.NewReader(append(header(TypeUnit, 0, MaxBodyBytes+1), "body"...))
	_, err := NewReader(rest).Read()
	require.ErrorIs(t, err, ErrProtocol)
	require.Equal(t, len("body"), rest.Len())
}

func TestHeadThatIsNoJSONIsAProtocolError(t *testing.T) {
	for _, head := range []string{"", "{", "[]", `{"pts":"x"}`, `{"pts":1}{}`, "\xff"} {
		raw := append(header(TypeUnit, uint32(len(head)), 0), head...) //nolint:gosec // short
		m, err := NewReader(bytes.NewReader(raw)).Read()
		require.NoError(t, err)
		require.ErrorIs(t, m.Decode(&transport.CameraUnit{}), ErrProtocol, "%q", head)
	}
}

// headOf returns a head whose JSON has n bytes.
func headOf(n int) json.RawMessage {
	return json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`)
}

func TestBoundsThemselvesAreAllowedAndNotOneMore(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	require.NoError(t, w.Write(TypeUnit, headOf(MaxHeadBytes), make([]byte, MaxBodyBytes)))
	m, err := NewReader(&b).Read()
	require.NoError(t, err)
	require.Len(t, m.Head, MaxHeadBytes)
	require.Len(t, m.Body, MaxBodyBytes)
	require.Zero(t, b.Len())

	require.ErrorContains(t, w.Write(TypeUnit, headOf(MaxHeadBytes+1), nil), "over the limit")
	require.ErrorContains(t, w.Write(TypeUnit, transport.CameraUnit{}, make([]byte, MaxBodyBytes+1)), "over the limit")
	require.Error(t, w.Write(TypeUnit, func() {}, nil), "no JSON")
	require.Zero(t, b.Len(), "nothing of a refused message may reach the pipe")
	require.NoError(t, w.Write(TypeKeyframe, Keyframe{}, nil), "the writer goes on")
}

func TestWriteErrorComesThrough(t *testing.T) {
	r, w := io.Pipe()
	require.NoError(t, r.Close())
	require.ErrorIs(t, NewWriter(w).Write(TypeKeyframe, Keyframe{}, nil), io.ErrClosedPipe)
}

func TestConcurrentWritersDoNotMix(t *testing.T) {
	const writers, each = 8, 50
	pr, pw := io.Pipe()
	w := NewWriter(pw)
	var wg sync.WaitGroup
	for id := range writers {
		wg.Go(func() {
			for n := range each {
				body := bytes.Repeat([]byte{byte(id)}, 1+n*97)
				if err := w.Write(TypeUnit, transport.CameraUnit{PTS: int64(id), Number: uint64(n)}, body); err != nil { //nolint:gosec // small
					t.Errorf("writer %d: %v", id, err)
					return
				}
			}
		})
	}
	go func() {
		wg.Wait()
		pw.Close()
	}()
	next := [writers]uint64{}
	r := NewReader(pr)
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		var u transport.CameraUnit
		require.NoError(t, m.Decode(&u))
		require.Equal(t, next[u.PTS], u.Number, "each writer's messages keep their order")
		next[u.PTS]++
		require.Equal(t, bytes.Repeat([]byte{byte(u.PTS)}, 1+int(u.Number)*97), m.Body)
	}
	for id, n := range next {
		require.EqualValues(t, each, n, "writer %d", id)
	}
}

func TestUnitsOfOtherCodecsThanThoseOfCamerasViolateTheProtocol(t *testing.T) {
	unit := func(c transport.Codec) *Message {
		m, err := NewReader(bytes.NewReader(encode(t, sample{TypeUnit, transport.CameraUnit{Codec: c}, []byte("data")}))).Read()
		require.NoError(t, err)
		return m
	}
	for _, c := range []transport.Codec{transport.H264, transport.H265, transport.MJPEG} {
		u, err := unit(c).Unit()
		require.NoError(t, err)
		require.Equal(t, transport.CameraUnit{Codec: c, Data: []byte("data")}, u)
	}
	for _, c := range []transport.Codec{"", "H264", "av1", "h264\n"} {
		_, err := unit(c).Unit()
		require.ErrorIs(t, err, ErrProtocol, "%q", c)
	}
}
