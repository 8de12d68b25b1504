package ipc

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/transport"
)

// outputOf returns the head of a picture with a number of regions.
func outputOf(regions int) Output {
	r := geom.RegionRecord{X: 3, Y: 1, W: 211, H: 221, Face: geom.Box{X: 100.53, Y: 20.57, W: 110.33, H: 120.21}, Score: 0.9123, Source: geom.Detected}
	record := &Record{Picture: 3, Unit: 7, Arrived: 4, Inspected: 5}
	for range regions {
		record.Regions = append(record.Regions, r)
	}
	return Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: 1, Seq: 2, PTS: 3, Captured: time.Unix(0, 4), Codec: "avc1.42c01f", Width: 1920, Height: 1080, State: transport.StateLive,
		},
		Record: record,
	}
}

// A crowd must not cost more memory per picture than one face.
func TestRegionsAreWrittenWithoutAllocating(t *testing.T) {
	w := NewWriter(io.Discard)
	allocations := func(regions int) float64 {
		head := outputOf(regions)
		return testing.AllocsPerRun(200, func() { _ = w.Write(TypeOutput, head, nil) })
	}
	require.InDelta(t, allocations(1), allocations(32), 8)
}

// BenchmarkPicture sends what one picture with four faces needs, down and up.
func BenchmarkPicture(b *testing.B) {
	unit := transport.CameraUnit{Number: 8, Codec: transport.H264, PTS: 123456, Captured: time.Now(), Arrived: time.Now()}
	for name, head := range map[Type]any{TypeUnit: unit, TypeOutput: outputOf(4)} {
		var pipe bytes.Buffer
		w, r := NewWriter(&pipe), NewReader(&pipe)
		b.Run(string(name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(name, head, nil); err != nil {
					b.Fatal(err)
				}
				m, err := r.Read()
				if err == nil && name == TypeUnit {
					_, err = m.Unit()
				} else if err == nil {
					err = m.Decode(new(Output))
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
