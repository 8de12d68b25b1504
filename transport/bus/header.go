package bus

import (
	"fmt"
	"image"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

const (
	// MaxPartBytes bounds the data of one message. A larger unit is split, into smaller
	// parts if the server's max_payload requires it.
	MaxPartBytes = 1 << 20
	// minPartBytes is the smallest size of a part.
	minPartBytes = 16 << 10
	// maxParts is the number of such parts of the largest unit.
	maxParts = transport.MaxUnitBytes / minPartBytes
	// MinPayload is the smallest max_payload of a server, in bytes.
	MinPayload = minPartBytes + maxHeaderBytes
	// lowPayload: below this max_payload, the largest pictures are sent in so many parts
	// that a reader may lose some.
	lowPayload = 256 << 10
	// MaxRegions bounds the regions that a unit lists. They are information for
	// viewers; further regions are obscured but not listed.
	MaxRegions = 512
	// maxReasonBytes bounds the reason.
	maxReasonBytes = 256
	// maxHeaderBytes is more than the headers need: 512 regions of at most 20 bytes,
	// with details of at most 57 bytes each, and the rest.
	maxHeaderBytes = 48 << 10
)

// The headers of a unit. Camera, Epoch, Seq and Part are in every part, the
// others in the first.
const (
	hdrCamera   = "Scrim-Camera"
	hdrSeq      = "Scrim-Seq"
	hdrEpoch    = "Scrim-Epoch"
	hdrPTS      = "Scrim-Pts"
	hdrCaptured = "Scrim-Captured" // Unix time, ns
	hdrKey      = "Scrim-Key"      // "1" or "0"
	hdrCodec    = "Scrim-Codec"
	hdrSize     = "Scrim-Size" // 1920x1080
	hdrState    = "Scrim-State"
	hdrReason   = "Scrim-Reason"
	hdrCovered  = "Scrim-Covered-By"
	hdrRegions  = "Scrim-Regions" // x,y,w,h;x,y,w,h
	hdrFaces    = "Scrim-Faces"   // of each region; see appendFace
	hdrPart     = "Scrim-Part"    // n/m
)

// part is one message of a unit. Parts after the first only set the unit's Camera,
// Rendition, Epoch, Seq and Data.
type part struct {
	unit transport.RedactedUnit
	n, m int
}

// partBytes returns how much data fits into one message to a server with the given
// max_payload.
func partBytes(payload int64) (int, error) {
	if payload < MinPayload {
		return 0, fmt.Errorf("the NATS server's max_payload of %d bytes is too small; set it to 1 MB or more", payload)
	}
	return int(min(MaxPartBytes, payload-maxHeaderBytes)), nil
}

// checkUnit checks a unit against the bounds for received units.
func checkUnit(u *transport.RedactedUnit) error {
	switch {
	case len(u.Data) == 0 || len(u.Data) > transport.MaxUnitBytes:
		return fmt.Errorf("unit of %d bytes is not within 1 to %d", len(u.Data), transport.MaxUnitBytes)
	case u.Epoch == 0 || u.Seq == 0:
		return fmt.Errorf("epoch %d and sequence %d must be at least 1", u.Epoch, u.Seq)
	case u.Width < 1 || u.Width > transport.MaxSide || u.Height < 1 || u.Height > transport.MaxSide:
		return fmt.Errorf("size %dx%d is not within 1 to %d", u.Width, u.Height, transport.MaxSide)
	case !u.State.OfUnit():
		return fmt.Errorf("a unit cannot be in state %.20q", u.State)
	}
	return transport.CheckCodec(u.Codec)
}

// writeHeader sets the headers of part n of m in h, which it clears first.
func writeHeader(h nats.Header, u *transport.RedactedUnit, n, m int) {
	clear(h)
	h[hdrCamera] = []string{u.Camera}
	h[hdrEpoch] = []string{strconv.FormatUint(u.Epoch, 10)}
	h[hdrSeq] = []string{strconv.FormatUint(u.Seq, 10)}
	if m > 1 {
		h[hdrPart] = []string{strconv.Itoa(n) + "/" + strconv.Itoa(m)}
	}
	if n > 1 {
		return
	}
	key := "0"
	if u.Key {
		key = "1"
	}
	h[hdrKey] = []string{key}
	h[hdrPTS] = []string{strconv.FormatInt(u.PTS, 10)}
	h[hdrCaptured] = []string{strconv.FormatInt(u.Captured.UnixNano(), 10)}
	h[hdrCodec] = []string{u.Codec}
	h[hdrSize] = []string{strconv.Itoa(u.Width) + "x" + strconv.Itoa(u.Height)}
	h[hdrState] = []string{string(u.State)}
	if text := reason(u.Reason); text != "" {
		h[hdrReason] = []string{text}
	}
	if u.CoveredBy != "" {
		h[hdrCovered] = []string{string(u.CoveredBy)}
	}
	if regions, faces := formatRegions(u); regions != "" {
		h[hdrRegions], h[hdrFaces] = []string{regions}, []string{faces}
	}
}

// reason makes text fit for a header or a page.
func reason(text string) string { return transport.Plain(text, maxReasonBytes) }

// parsePart reads one untrusted message on the subject at.
func parsePart(at Address, h nats.Header, data []byte) (*part, error) {
	p := &part{n: 1, m: 1}
	u := &p.unit
	u.Camera, u.Rendition, u.Data = at.Camera, at.Rendition, data
	// The wrong camera is as bad as an unredacted one.
	if camera := h.Get(hdrCamera); at.Kind != KindVideo || camera != at.Camera {
		return nil, fmt.Errorf("%w: header names camera %.70q, subject %.70q", ErrInvalid, camera, at.Camera)
	}
	r := headerReader{h: h}
	u.Epoch, u.Seq = r.uint(hdrEpoch), r.uint(hdrSeq)
	if text := h.Get(hdrPart); text != "" {
		p.n, p.m = r.pair(hdrPart, "/", maxParts)
		if p.m < 2 || p.n > p.m {
			r.fail(hdrPart)
		}
	}
	if p.n == 1 {
		u.PTS, u.Captured = r.int(hdrPTS), time.Unix(0, r.int(hdrCaptured))
		u.Key = r.bool(hdrKey)
		u.Codec = h.Get(hdrCodec)
		u.Width, u.Height = r.pair(hdrSize, "x", transport.MaxSide)
		u.State, u.Reason = transport.State(h.Get(hdrState)), reason(h.Get(hdrReason))
		u.CoveredBy = transport.CoveredBy(h.Get(hdrCovered)).Known()
		u.Regions = r.regions(image.Rect(0, 0, u.Width, u.Height))
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(data) > MaxPartBytes || len(data) == 0 || u.Epoch == 0 || u.Seq == 0 {
		return nil, fmt.Errorf("%w: part of %d bytes, epoch %d, sequence %d", ErrInvalid, len(data), u.Epoch, u.Seq)
	}
	if p.n == 1 {
		if err := checkUnit(u); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return p, nil
}

// headerReader reads values and keeps the first error.
type headerReader struct {
	h   nats.Header
	err error
}

func (r *headerReader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: header %s: %.40q", ErrInvalid, name, r.h.Get(name))
	}
}

func (r *headerReader) uint(name string) uint64 {
	v, err := strconv.ParseUint(r.h.Get(name), 10, 64)
	if err != nil {
		r.fail(name)
	}
	return v
}

func (r *headerReader) int(name string) int64 {
	v, err := strconv.ParseInt(r.h.Get(name), 10, 64)
	if err != nil {
		r.fail(name)
	}
	return v
}

func (r *headerReader) bool(name string) bool {
	v := r.h.Get(name)
	if v != "0" && v != "1" {
		r.fail(name)
	}
	return v == "1"
}

// pair reads two numbers from 1 to limit.
func (r *headerReader) pair(name, sep string, limit int) (int, int) {
	one, two, _ := strings.Cut(r.h.Get(name), sep)
	a, errA := strconv.ParseUint(one, 10, 31)
	b, errB := strconv.ParseUint(two, 10, 31)
	if errA != nil || errB != nil || a < 1 || b < 1 || a > uint64(limit) || b > uint64(limit) { //nolint:gosec // limit is a constant
		r.fail(name)
		return 1, 1
	}
	return int(a), int(b) //nolint:gosec // bounded above
}
