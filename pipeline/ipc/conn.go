package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"scrim/transport"
)

// Type is the type of a message.
type Type byte

// The types of messages.
const (
	TypeConfig          Type = 'C' // down: Config
	TypeUnit            Type = 'U' // down: transport.CameraUnit, the body is its Data
	TypeInput           Type = 'I' // down: Input
	TypeKeyframe        Type = 'K' // down: Keyframe
	TypeSnapshotRequest Type = 'P' // down: SnapshotRequest
	TypeHello           Type = 'H' // up: Hello
	TypeOutput          Type = 'O' // up: Output with data
	TypeFailure         Type = 'F' // up: Failure
	TypePreparedSlate   Type = 'S' // up: PreparedSlate with data
	TypeHeartbeat       Type = 'A' // up: Heartbeat
	TypeSnapshot        Type = 'G' // up: Snapshot with a JPEG

	// For a redactor of files.
	TypeFiles     Type = 'J' // down: Files, first
	TypeFile      Type = 'T' // down: File, when the one before has ended
	TypeFileBegin Type = 'B' // up: FileBegin
	TypeFileFrame Type = 'R' // up: FileFrame
	TypeFileEnd   Type = 'E' // up: FileEnd

	// For a redactor that only looks.
	TypeLook   Type = 'L' // down: Look, first; then TypeUnit
	TypeLooked Type = 'D' // up: Looked, for each unit
)

// MaxHeadBytes and MaxBodyBytes bound the two parts of a message.
const (
	MaxHeadBytes = 256 << 10
	MaxBodyBytes = transport.MaxUnitBytes
)

const headerBytes = 16

var magic = [4]byte{'S', 'C', 'R', '1'}

// ErrProtocol is wrapped by every error for something from the other side that is not
// a valid message.
var ErrProtocol = errors.New("pipe protocol violated")

// Writer writes messages. It is safe for concurrent use.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	head bytes.Buffer
	json *json.Encoder // to head
	buf  []byte
}

// NewWriter returns a Writer on w. The caller closes w.
func NewWriter(w io.Writer) *Writer {
	out := &Writer{w: w}
	out.json = json.NewEncoder(&out.head)
	return out
}

// Write sends a message: a head, which is marshalled to JSON, and a body, which may
// be nil. It blocks while the pipe is full.
func (w *Writer) Write(t Type, head any, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head.Reset()
	if err := w.json.Encode(head); err != nil {
		return fmt.Errorf("marshal message %q: %w", t, err)
	}
	h := bytes.TrimSuffix(w.head.Bytes(), []byte("\n"))
	if len(h) > MaxHeadBytes || len(body) > MaxBodyBytes {
		return fmt.Errorf("message %q of %d + %d bytes is over the limit of %d + %d", t, len(h), len(body), MaxHeadBytes, MaxBodyBytes)
	}
	w.buf = append(w.buf[:0], magic[:]...)
	w.buf = append(w.buf, byte(t), 0, 0, 0)
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(h)))    //nolint:gosec // bounded above
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(body))) //nolint:gosec // bounded above
	w.buf = append(w.buf, h...)
	w.buf = append(w.buf, body...)
	_, err := w.w.Write(w.buf)
	return err
}

// Message is a message as read. The receiver owns Body; Head is valid until the next
// Read.
type Message struct {
	Type Type
	Head []byte
	Body []byte
}

// Decode unmarshals the head into v.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Head, v); err != nil {
		return fmt.Errorf("%w: head of message %q: %w", ErrProtocol, m.Type, err)
	}
	return nil
}

// Reader reads messages. It is not safe for concurrent use.
type Reader struct {
	r      io.Reader
	header [headerBytes]byte
	head   []byte
}

// NewReader returns a Reader on r. The caller closes r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Read returns the next message. It returns io.EOF at the end of the stream
// between two messages, io.ErrUnexpectedEOF within one, and an error that
// wraps ErrProtocol for anything that is not a message.
func (r *Reader) Read() (*Message, error) {
	hdr := &r.header
	if _, err := io.ReadFull(r.r, hdr[:]); err != nil {
		return nil, err
	}
	if [4]byte(hdr[:4]) != magic || hdr[5]|hdr[6]|hdr[7] != 0 {
		return nil, fmt.Errorf("%w: invalid message header % x", ErrProtocol, *hdr)
	}
	headLen, bodyLen := binary.BigEndian.Uint32(hdr[8:]), binary.BigEndian.Uint32(hdr[12:])
	if headLen > MaxHeadBytes || bodyLen > MaxBodyBytes {
		return nil, fmt.Errorf("%w: message of %d + %d bytes is over the limit", ErrProtocol, headLen, bodyLen)
	}
	m := &Message{Type: Type(hdr[4])}
	if cap(r.head) < int(headLen) {
		r.head = make([]byte, headLen)
	}
	m.Head = r.head[:headLen]
	if _, err := io.ReadFull(r.r, m.Head); err != nil {
		return nil, unexpected(err)
	}
	if bodyLen > 0 {
		m.Body = make([]byte, bodyLen)
		if _, err := io.ReadFull(r.r, m.Body); err != nil {
			return nil, unexpected(err)
		}
	}
	return m, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
