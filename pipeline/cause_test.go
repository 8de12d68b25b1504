package pipeline

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

func TestFaultsOfRedactionAreKnownToViewers(t *testing.T) {
	for _, f := range []redact.Fault{
		redact.FaultDetector, redact.FaultTracker, redact.FaultObscurer, redact.FaultInspection, redact.FaultSelfTest, redact.FaultPanic,
	} {
		require.Contains(t, transport.Faults(), transport.Fault(f))
	}
}

// ownTexts are the texts of all causes and gaps in the program.
var ownTexts = []string{
	causeStarting.Text, causeWaiting.Text, causeStalled.Text, causeOverflow.Text, causeFormat.Text, "", "connected", "loss", "late", "restarted",
	"packet loss", "redactor restarted", "the redactor is too slow: pictures were dropped", "face detection failed", "self-test failed", "overflow",
}

// anyText draws a text that a camera could choose to look like one of the program's.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(ownTexts), rapid.String())
}

func TestGapIsTreatedByItsKindWhateverItsText(t *testing.T) {
	faults := map[transport.GapKind][2]redact.Fault{ // before the first picture, and after
		transport.GapConnected: {},
		transport.GapRestarted: {},
		transport.GapLate:      {"", redact.Fault(transport.FaultOverflow)},
		transport.GapLoss:      {redact.Fault(transport.FaultLoss), redact.Fault(transport.FaultLoss)},
		"of another build":     {redact.Fault(transport.FaultLoss), redact.Fault(transport.FaultLoss)},
	}
	rapid.Check(t, func(t *rapid.T) {
		gap := transport.Gap{Kind: rapid.SampledFrom([]transport.GapKind{
			transport.GapNone, transport.GapConnected, transport.GapRestarted, transport.GapLate, transport.GapLoss, "of another build",
		}).Draw(t, "kind"), Text: anyText().Draw(t, "text"), Intact: rapid.Bool().Draw(t, "intact")}
		shown := rapid.Bool().Draw(t, "shown")
		s := sequence{codec: transport.H264, sps: []byte{1}, generation: 3, whole: true, started: true}
		v := s.classify(&arrival{
			unit: transport.CameraUnit{Codec: transport.H264, Gap: gap}, generation: 3, anyShown: shown,
			info: bitstream.Info{Codec: transport.H264, Slices: 1, Data: []byte{2}},
		})
		require.Equal(t, gap.Kind != transport.GapNone, v.ends)
		if gap.Kind == transport.GapNone {
			require.Equal(t, unitDecoded, v.fate)
			return
		}
		require.Equal(t, unitWithheld, v.fate)
		want := faults[gap.Kind][0]
		if shown {
			want = faults[gap.Kind][1]
		}
		require.Equal(t, want, v.cause.Fault)
	})
}

// The worker may quote the camera, too.
func TestReasonOfTheWorkerIsAFaultOfTheCameraWhateverItsText(t *testing.T) {
	obscurer, detector := newParts(t)
	var sent ipc.Output
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Log: noLog,
		Sink: func(head ipc.Output, _ []byte) error { sent = head; return nil }})
	require.NoError(t, err)
	o := newOutput(p)
	defer o.close()
	for _, text := range ownTexts {
		p.Input(text)
		o.lastSlate = o.lastSlate.Add(-slateInterval)
		require.NoError(t, o.idle(p.now()))
		require.Equal(t, transport.FaultCamera, sent.Fault, "%q", text)
		require.Equal(t, text, sent.Reason)
	}
}

// The worker's messages and the decoder shut the gate from different goroutines.
func TestFaultsFromTwoGoroutinesNeverMix(t *testing.T) {
	g := redact.NewGate(causeStarting)
	texts := map[redact.Fault]string{"": causeStarting.Text}
	var shutters sync.WaitGroup
	for _, c := range []redact.Cause{cause(transport.FaultCamera, "offline"), cause(transport.FaultDamage, "damaged picture"), causeFormat} {
		texts[c.Fault] = c.Text
		shutters.Go(func() {
			for range 20_000 {
				g.Shut(c)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		shutters.Wait()
		close(done)
	}()
	last, lastCause := uint64(0), redact.Cause{}
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		generation, open, c := g.State()
		require.False(t, open)
		require.Equal(t, texts[c.Fault], c.Text)
		require.GreaterOrEqual(t, generation, last)
		if generation == last {
			require.Equal(t, lastCause, c, "one generation has one cause")
		}
		last, lastCause = generation, c
	}
	require.Equal(t, uint64(1+3*20_000), last)
}
