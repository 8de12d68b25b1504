package depacketize

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"scrim/transport"
)

// unit implements payloadFormat. It copies the unit and inserts the latest parameter
// sets before a key frame that has none.
func (f *nalFormat) unit(a *Assembler) []byte {
	c := &a.content
	if c.sets != [maxSetKinds]bool{} {
		f.learnSets(a)
	}
	if !c.key || f.hasSets(c) || !a.sets.whole(f) {
		return slices.Clone(a.buf)
	}
	size := len(a.buf)
	for _, sets := range a.sets {
		for _, s := range sets {
			size += len(startCode) + len(s)
		}
	}
	data, rest := make([]byte, 0, size), a.buf
	if c.first == f.aud { // stays first (H.264, section 7.4.1.2.3; H.265, 7.4.2.4.4)
		if i := bytes.Index(rest[len(startCode):], startCode); i >= 0 {
			data, rest = append(data, rest[:len(startCode)+i]...), rest[len(startCode)+i:]
		}
	}
	for _, sets := range a.sets {
		for _, s := range sets {
			data = append(append(data, startCode...), s...)
		}
	}
	return append(data, rest...)
}

// Limits of a session description.
const (
	MaxParameterSets     = 16
	MaxParameterSetBytes = 4096
)

// Complete reports whether there are sets of every kind that the codec has.
func (s *ParameterSets) Complete(codec transport.Codec) bool {
	f, ok := formatOf(codec).(*nalFormat)
	return ok && s.whole(f)
}

// whole reports whether there are sets of every kind.
func (s *ParameterSets) whole(f *nalFormat) bool {
	for i := range f.sets {
		if len(s[i]) == 0 {
			return false
		}
	}
	return true
}

// learnSets stores parameter sets that were sent in band. They are newer than those of
// the session description.
func (f *nalFormat) learnSets(a *Assembler) {
	var got ParameterSets
	for n := range nalus(a.buf) {
		if i := bytes.IndexByte(f.sets, f.typeOf(n[0])); i >= 0 {
			got[i] = append(got[i], n)
		}
	}
	for i, sets := range got {
		if len(sets) == 0 || len(sets) > MaxParameterSets || slices.EqualFunc(a.sets[i], sets, bytes.Equal) {
			continue
		}
		a.sets[i] = nil
		for _, s := range sets {
			a.sets[i] = append(a.sets[i], slices.Clone(s))
		}
	}
}

// ParseParameterSets reads the parameter sets in the fmtp parameters of a session
// description: sprop-parameter-sets of H.264 (RFC 6184, section 8.1), or sprop-vps,
// sprop-sps and sprop-pps of H.265 (RFC 7798, section 7.1). Missing and invalid sets
// are left out: nearly every camera also sends the sets in band.
func ParseParameterSets(codec transport.Codec, fmtp map[string]string) (sets ParameterSets) {
	f, ok := formatOf(codec).(*nalFormat)
	if !ok {
		return sets
	}
	keys := []string{"sprop-parameter-sets"}
	if f == h265 {
		keys = []string{"sprop-vps", "sprop-sps", "sprop-pps"}
	}
	n := 0
	for _, key := range keys {
		for enc := range strings.SplitSeq(fmtp[key], ",") {
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(enc))
			if err != nil {
				raw, err = base64.RawStdEncoding.DecodeString(strings.TrimSpace(enc))
			}
			if err != nil || len(raw) > MaxParameterSetBytes {
				continue
			}
			// Some cameras send the sets with Annex B start codes.
			for nalu := range nalus(raw) {
				i := bytes.IndexByte(f.sets, f.typeOf(nalu[0]))
				if i < 0 || len(nalu) <= f.header || nalu[0]&forbiddenBit != 0 || n >= MaxParameterSets {
					continue
				}
				sets[i] = append(sets[i], slices.Clone(nalu))
				n++
			}
		}
	}
	return sets
}
