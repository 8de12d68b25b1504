package rtsp

import (
	"log/slog"
	"time"

	"github.com/pion/rtp"

	"scrim/transport"
)

// Packets makes access units out of the RTP packets of one stream as a Client does, for packets that come from elsewhere: a capture, or a test that
// loses some of them. It is not safe for concurrent use.
type Packets struct{ asm *assembler }

// NewPackets returns a Packets of a stream of a codec, which must be Known. It calls
// emit with every access unit that is whole, as Client.Run calls its onUnit.
func NewPackets(codec transport.Codec, emit func(transport.CameraUnit), log *slog.Logger) *Packets {
	return &Packets{asm: newAssembler(emit, &senderClock{}, log, formatOf(codec), parameterSets{})}
}

// Push takes the next packet, in the order of arrival, and keeps nothing of it.
// An error is final: packets keep coming, but no picture.
func (p *Packets) Push(pkt *rtp.Packet, arrived time.Time) error { return p.asm.push(pkt, arrived) }
