package camera

import (
	"testing"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// BenchmarkPicture is what a picture costs the machine: its unit comes, is sent down, and
// what was made of it is published.
func BenchmarkPicture(b *testing.B) {
	now := time.Unix(1_700_000_000, 0)
	m := newMachine(&ipc.Config{Site: "test", Camera: "door"}, "", false)
	m.step(now, runStarted{true})
	m.step(now, processStarted{1, 1})
	m.step(now, messageReceived{1, &ipc.Hello{}, nil})
	m.step(now, writeDone{1})
	data := make([]byte, 10_000)
	b.ReportAllocs()
	for i := range b.N {
		now = now.Add(40 * time.Millisecond)
		m.step(now, unitArrived{transport.CameraUnit{Codec: transport.H264, Arrived: now, Data: data}})
		m.step(now, writeDone{1})
		m.step(now, messageReceived{1, &ipc.Output{
			RedactedUnit: transport.RedactedUnit{
				Epoch: m.redactor.process.epoch, PTS: int64(i) * 3600, Key: i == 0, Codec: "c", Width: 64, Height: 48, State: transport.StateLive,
			},
			Record: &ipc.Record{Unit: m.units},
		}, data})
		m.step(now, unitSent{bytes: len(data)})
		m.step(now, tick{})
		m.step(now, reportSent{})
	}
	if m.status.s.Counters.Pictures != uint64(b.N) { //nolint:gosec // positive
		b.Fatal("pictures are missing")
	}
}
