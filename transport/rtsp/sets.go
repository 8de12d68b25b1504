package rtsp

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// unit implements payloadFormat: it copies the unit, with the latest parameter sets
// put before a key frame that comes without.
func (f *nalFormat) unit(a *assembler) []byte {
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

// whole reports whether there are sets of every kind.
func (s *parameterSets) whole(f *nalFormat) bool {
	for i := range f.sets {
		if len(s[i]) == 0 {
			return false
		}
	}
	return true
}

// learnSets keeps the parameter sets that came in band: they are newer than the
// session description's.
func (f *nalFormat) learnSets(a *assembler) {
	var got parameterSets
	for n := range nalus(a.buf) {
		if i := bytes.IndexByte(f.sets, f.typeOf(n[0])); i >= 0 {
			got[i] = append(got[i], n)
		}
	}
	for i, sets := range got {
		if len(sets) == 0 || len(sets) > maxParameterSets || slices.EqualFunc(a.sets[i], sets, bytes.Equal) {
			continue
		}
		a.sets[i] = nil
		for _, s := range sets {
			a.sets[i] = append(a.sets[i], slices.Clone(s))
		}
	}
}

// described reads the parameter sets of a session description: those of
// sprop-parameter-sets (RFC 6184, section 8.1), or of sprop-vps, -sps and -pps (RFC
// 7798, section 7.1). Missing or nonsense is fine: nearly every camera sends the
// sets in band as well.
func (f *nalFormat) described(fmtp map[string]string) (sets parameterSets) {
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
			if err != nil || len(raw) > maxParameterSetSize {
				continue
			}
			// Some cameras ship the sets with Annex B start codes.
			for nalu := range nalus(raw) {
				i := bytes.IndexByte(f.sets, f.typeOf(nalu[0]))
				if i < 0 || len(nalu) <= f.header || nalu[0]&forbiddenBit != 0 || n >= maxParameterSets {
					continue
				}
				sets[i] = append(sets[i], slices.Clone(nalu))
				n++
			}
		}
	}
	return sets
}
