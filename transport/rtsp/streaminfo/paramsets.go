package streaminfo

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// maxParameterSet bounds a parameter set, in bytes.
const maxParameterSet = 4096

// parameterSet reads a complete parameter set, in band or of the session description.
func (m *Meter) parameterSet(n []byte) {
	if len(n) < 4 || len(n) > maxParameterSet {
		return
	}
	switch {
	case m.s.Codec == "H264" && n[0]&0x1f == h264SPS:
		var sps h264.SPS
		if sps.Unmarshal(n) != nil {
			return
		}
		m.s.SPS = bytes.Clone(n)
		m.s.Profile, m.s.Level = profile264(&sps), level264(&sps)
		m.s.Width, m.s.Height, m.s.SPSFPS = sps.Width(), sps.Height(), rate(sps.FPS())
		m.s.InBand = true
	case m.s.Codec == "H265" && n[0]>>1&0x3f == h265SPS:
		var sps h265.SPS
		if sps.Unmarshal(n) != nil {
			return
		}
		m.s.SPS = bytes.Clone(n)
		p := &sps.ProfileTierLevel
		m.s.Profile, m.s.Level = profile265(p.GeneralProfileIdc), fmt.Sprintf("%.1f", float64(p.GeneralLevelIdc)/30)
		m.s.Width, m.s.Height, m.s.SPSFPS = sps.Width(), sps.Height(), rate(sps.FPS())
		m.s.InBand = true
	}
}

// rate drops an implausible rate: an SPS may contain anything.
func rate(fps float64) float64 {
	if fps > 0 && fps <= 1000 {
		return fps
	}
	return 0
}

// profile264 names a profile (H.264, A.2).
func profile264(s *h264.SPS) string {
	switch s.ProfileIdc {
	case 66:
		if s.ConstraintSet1Flag {
			return "Constrained Baseline"
		}
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		return "High"
	case 110:
		return "High 10"
	case 122:
		return "High 4:2:2"
	case 244:
		return "High 4:4:4 Predictive"
	}
	return fmt.Sprintf("profile %d", s.ProfileIdc)
}

// level264 names a level (H.264, A.3).
func level264(s *h264.SPS) string {
	if s.LevelIdc == 11 && s.ConstraintSet3Flag && (s.ProfileIdc == 66 || s.ProfileIdc == 77 || s.ProfileIdc == 88) {
		return "1b"
	}
	return fmt.Sprintf("%.1f", float64(s.LevelIdc)/10)
}

// profile265 names a profile (H.265, A.3).
func profile265(idc uint8) string {
	switch idc {
	case 1:
		return "Main"
	case 2:
		return "Main 10"
	case 3:
		return "Main Still Picture"
	case 4:
		return "Range Extensions"
	}
	return fmt.Sprintf("profile %d", idc)
}
