package ipc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"testing"

	"scrim/transport"
)

// watched reads from data and records the largest buffer passed to it. The Reader fills
// each buffer that it allocates, so this is what it allocated.
type watched struct {
	data    *bytes.Reader
	largest int
}

func (w *watched) Read(p []byte) (int, error) {
	w.largest = max(w.largest, len(p))
	return w.data.Read(p)
}

// heads returns values to decode the head of each type into.
func heads() map[Type]any {
	return map[Type]any{
		TypeConfig: &Config{}, TypeUnit: &transport.CameraUnit{}, TypeInput: &Input{}, TypeKeyframe: &Keyframe{},
		TypeSnapshotRequest: &SnapshotRequest{}, TypeSnapshot: &Snapshot{},
		TypeHello: &Hello{}, TypeOutput: &Output{}, TypeFailure: &Failure{},
	}
}

// FuzzRead passes arbitrary bytes to the Reader: the other process is not trusted, since
// malicious video may have compromised it.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, samples()...))
	for _, s := range samples() {
		s.body = s.body[:min(len(s.body), 20)]
		whole := encode(f, s)
		f.Add(whole)
		f.Add(whole[:len(whole)-1])
	}
	f.Add(header(TypeUnit, MaxHeadBytes, MaxBodyBytes))
	f.Add(header(TypeUnit, MaxHeadBytes+1, 0))
	f.Add(header(TypeUnit, 2, MaxBodyBytes+1))
	f.Add(append(header(0, 4, 1), "null!"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &watched{data: bytes.NewReader(data)}
		r := NewReader(in)
		for used := 0; ; {
			m, err := r.Read()
			if in.largest > max(MaxHeadBytes, MaxBodyBytes) {
				t.Fatalf("a buffer of %d bytes", in.largest)
			}
			if err != nil {
				checkEnd(t, err, len(data)-used)
				return
			}
			if len(m.Head) > MaxHeadBytes || len(m.Body) > MaxBodyBytes {
				t.Fatalf("message of %d + %d bytes", len(m.Head), len(m.Body))
			}
			again := append(append(header(m.Type, uint32(len(m.Head)), uint32(len(m.Body))), m.Head...), m.Body...)
			if !bytes.Equal(again, data[used:used+len(again)]) {
				t.Fatalf("read % x from % x", again, data[used:])
			}
			used += len(again)
			if v := heads()[m.Type]; v != nil {
				checkHead(t, m, v)
			}
		}
	})
}

// checkEnd checks the error with left bytes not yet read as messages.
func checkEnd(t *testing.T, err error, left int) {
	t.Helper()
	switch {
	case errors.Is(err, ErrProtocol):
		if left < headerBytes {
			t.Fatalf("protocol error in %d bytes: %v", left, err)
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		if left == 0 {
			t.Fatal("unexpected end between two messages")
		}
	case errors.Is(err, io.EOF):
		if left != 0 {
			t.Fatalf("end of stream with %d bytes left", left)
		}
	default:
		t.Fatalf("error of no documented kind: %v", err)
	}
}

// checkHead checks that a head is either the same after encoding it again, or a protocol
// error.
func checkHead(t *testing.T, m *Message, v any) {
	t.Helper()
	if err := m.Decode(v); err != nil {
		if !errors.Is(err, ErrProtocol) {
			t.Fatalf("error of no documented kind: %v", err)
		}
		return
	}
	first, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("what was decoded cannot be encoded: %v", err)
	}
	v = heads()[m.Type]
	if err := json.Unmarshal(first, v); err != nil {
		t.Fatalf("what was encoded cannot be decoded: %v: %s", err, first)
	}
	if second, err := json.Marshal(v); err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%s became %s, %v", first, second, err)
	}
}

// TestLengthsAloneCostNoMoreThanTheBounds measures what a header without the
// bytes that it announces makes the Reader allocate.
func TestLengthsAloneCostNoMoreThanTheBounds(t *testing.T) {
	for _, c := range []struct {
		head, body uint32
		most       uint64
	}{
		{MaxHeadBytes, MaxBodyBytes, MaxHeadBytes + MaxBodyBytes},
		{MaxHeadBytes + 1, 0, 0},
		{0, MaxBodyBytes + 1, 0},
		{1 << 31, 1 << 31, 0},
	} {
		const rounds, slack = 20, 4 << 10
		raw := header(TypeUnit, c.head, c.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			if _, err := NewReader(bytes.NewReader(raw)).Read(); err == nil {
				t.Fatal("a header alone was read as a message")
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > c.most+slack {
			t.Fatalf("%d + %d bytes announced: %d allocated", c.head, c.body, each)
		}
	}
}
