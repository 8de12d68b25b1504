package rtsp

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	gdescription "github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp/depacketize"
)

const goodVideo = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"

// sdpOf gives what a camera says the lines that it ought to begin with.
func sdpOf(lines ...string) []byte {
	return []byte("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=cam\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n")
}

// libraryReads parses as gortsplib does.
func libraryReads(body []byte) (*gdescription.Session, error) {
	var ssd sdp.SessionDescription
	if err := ssd.Unmarshal(body); err != nil {
		return nil, err
	}
	var d gdescription.Session
	return &d, d.Unmarshal(&ssd)
}

func TestBadLinesBesideGoodVideoDoNoHarm(t *testing.T) {
	tests := map[string]struct {
		lines   []string
		refused bool // gortsplib alone refuses it
	}{
		"plain":                     {[]string{goodVideo}, false},
		"c=IN":                      {[]string{"c=IN ", goodVideo}, true},
		"c=IN IP4 in section":       {[]string{goodVideo + "c=IN"}, false},
		"m=meta":                    {[]string{goodVideo, "m=meta 0 RTP/AVP", "a=control:track9"}, true},
		"m=smart":                   {[]string{goodVideo, "m=smart", "a=control:track9"}, true},
		"broken AAC":                {[]string{goodVideo, "m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/16000", "a=fmtp:97 config=zz"}, true},
		"broken audio first":        {[]string{"m=audio 0 RTP/AVP x", goodVideo}, true},
		"bandwidth":                 {[]string{"b=XX", goodVideo + "b=AS:none"}, true},
		"no sense":                  {[]string{"hello", "", "x", "=", goodVideo}, true},
		"broken sprop":              {[]string{goodVideo + "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=%%%,%%%"}, true},
		"broken packetization mode": {[]string{goodVideo + "a=fmtp:96 packetization-mode=one"}, true},
		"relative session control":  {[]string{"a=control:trackID=0", goodVideo}, false},
		"mid":                       {[]string{goodVideo + "a=mid:!!"}, true},
		"MIKEY":                     {[]string{"a=key-mgmt:mikey zz", goodVideo}, true},
		"second codec in section": {
			[]string{"m=video 0 RTP/AVP 98 96", "a=rtpmap:98 H265/90000", "a=fmtp:98 sprop-vps=%", "a=rtpmap:96 H264/90000"}, true,
		},
		"HEVC section too":      {[]string{"m=video 0 RTP/AVP 98", "a=rtpmap:98 H265/90000", goodVideo}, false},
		"payload type as words": {[]string{"m=video 0 RTP/AVP smart/1/90000", "a=rtpmap:96 H264/90000"}, false},
		"small letters, spaces": {[]string{"m=video 0 RTP/AVP 96", "a=rtpmap: 96", "a=rtpmap:96  h264/90000 "}, false},
		"line feeds only":       {[]string{strings.ReplaceAll(goodVideo, "\r", "")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := sdpOf(tt.lines...)
			_, err := libraryReads(body)
			require.Equal(t, tt.refused, err != nil, "gortsplib alone: %v", err)
			d := readDescription(body)
			desc, err := libraryReads(d.SDP)
			require.NoError(t, err, "%s", d.SDP)
			require.Len(t, desc.Medias, 1)
			require.Equal(t, gdescription.MediaTypeVideo, desc.Medias[0].Type)
			require.Len(t, desc.Medias[0].Formats, 1)
			require.IsType(t, &format.H264{}, desc.Medias[0].Formats[0])
			require.Equal(t, uint8(96), desc.Medias[0].Formats[0].PayloadType())
		})
	}
}

func TestOnlyVideoIsEverSetUp(t *testing.T) {
	d := readDescription(sdpOf(
		"m=audio 0 RTP/AVP 0", "a=control:audio", goodVideo,
		"m=application 0 RTP/AVP 107", "a=control:meta",
		"m=audio 0 RTP/AVP 0", "a=sendonly", "a=control:backchannel",
		"m=video 0 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=control:second"))
	desc, err := libraryReads(d.SDP)
	require.NoError(t, err)
	require.Len(t, desc.Medias, 1)
	require.Equal(t, "track1", desc.Medias[0].Control)
	require.Equal(t, []string{"audio", "application"}, d.Other)
}

func TestWhatACameraSendsInsteadIsNamed(t *testing.T) {
	tests := []struct {
		lines []string
		video []string
		other []string
	}{
		{nil, nil, nil},
		{[]string{"m=audio 0 RTP/AVP 0"}, nil, []string{"audio"}},
		{[]string{goodVideo + "a=sendonly"}, nil, []string{"back channel"}},
		{[]string{"m=video 0 RTP/AVP 96", "a=rtpmap:96 av1/90000"}, []string{"AV1"}, nil},
		{[]string{"m=video 0 RTP/AVP 32"}, []string{"MPEG-1/2 video"}, nil},
		{[]string{"m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/48000"}, []string{"H264 at 48000 Hz"}, nil},
		{[]string{"m=video 0 RTP/AVP 96", "a=rtpmap:96 hevc/8000"}, []string{"H265 at 8000 Hz"}, nil},
		{[]string{"m=video 0 RTP/AVP 99"}, []string{"unnamed payload type 99"}, nil},
	}
	for _, tt := range tests {
		d := readDescription(sdpOf(tt.lines...))
		require.Nil(t, d.SDP)
		require.Equal(t, tt.video, d.Video)
		require.Equal(t, tt.other, d.Other)
	}
	d := readDescription(sdpOf(goodVideo + "a=fmtp:96 packetization-mode=2"))
	require.Nil(t, d.SDP)
	require.Equal(t, "H.264", d.Interleaved)
	d = readDescription(sdpOf("m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-max-don-diff=2"))
	require.Nil(t, d.SDP)
	require.Equal(t, "H.265", d.Interleaved)
}

// H.264 is asked for where there is some, then H.265, then MJPEG.
func TestTheCheapestCodecOfTheDescriptionIsChosen(t *testing.T) {
	video := func(pt, name string) string {
		return "m=video 0 RTP/AVP " + pt + "\r\na=control:" + name + "\r\na=rtpmap:" + pt + " " + name + "/90000"
	}
	for _, tt := range []struct {
		lines []string
		want  transport.Codec
		from  string
	}{
		{[]string{video("96", "H265")}, transport.H265, "H265"},
		{[]string{video("96", "hevc")}, transport.H265, "hevc"},
		{[]string{"m=video 0 RTP/AVP 26", "a=control:first"}, transport.MJPEG, "first"},
		{[]string{video("99", "JPEG")}, transport.MJPEG, "JPEG"},
		{[]string{video("26", "JPEG"), video("97", "H265"), video("98", "AV1")}, transport.H265, "H265"},
		{[]string{video("26", "JPEG"), video("97", "H265"), video("96", "H264")}, transport.H264, "H264"},
		{[]string{video("96", "H264") + "\r\na=fmtp:96 packetization-mode=2", video("97", "H265") + "\r\na=fmtp:97 sprop-max-don-diff=0"}, transport.H265, "H265"},
	} {
		d := readDescription(sdpOf(tt.lines...))
		require.Equal(t, tt.want, d.Codec)
		require.Empty(t, d.Interleaved)
		desc, err := libraryReads(d.SDP)
		require.NoError(t, err, "%s", d.SDP)
		require.Equal(t, tt.from, desc.Medias[0].Control)
	}
}

func TestParameterSetsOfTheDescription(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for name, sprop := range map[string]string{
		"plain":                  b64(testSPS) + "," + b64(testPPS),
		"with start codes":       b64(annexB(testSPS)) + "," + b64(annexB(testPPS)),
		"both in one":            b64(annexB(testSPS, testPPS)),
		"nonsense between":       b64(testSPS) + ",!!!," + b64(testPPS) + ",",
		"without padding":        strings.TrimRight(b64(testSPS), "=") + "," + strings.TrimRight(b64(testPPS), "="),
		"other way round":        b64(testPPS) + "," + b64(testSPS),
		"spaces around":          " " + b64(testSPS) + " , " + b64(testPPS) + " ",
		"damaged one among them": b64([]byte{0xe7, 1, 2}) + "," + b64(testSPS) + "," + b64(testPPS),
	} {
		t.Run(name, func(t *testing.T) {
			d := readDescription(sdpOf(goodVideo + "a=fmtp:96 packetization-mode=1; sprop-parameter-sets=" + sprop + ";x"))
			require.Equal(t, [][]byte{testSPS}, d.Sets[0])
			require.Equal(t, [][]byte{testPPS}, d.Sets[1])
		})
	}
	d := readDescription(sdpOf(goodVideo))
	require.Empty(t, d.Sets[0])
	d = readDescription(sdpOf("m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000",
		"a=fmtp:96 sprop-vps="+b64(testSets265[0])+"; sprop-sps="+b64(testSets265[1])+"; sprop-pps=%%,"+b64(testSets265[2])))
	require.Equal(t, depacketize.ParameterSets{{testSets265[0]}, {testSets265[1]}, {testSets265[2]}}, d.Sets)
}

// A camera may send 128 KiB at every connection: reading it costs little, whatever is
// in there, and good video that comes first is found all the same.
func TestReadingADescriptionCostsLittle(t *testing.T) {
	const size = 100 << 10
	fmtp := "a=fmtp:96 packetization-mode=2;" + strings.Repeat("a=b;", 80<<10/4)
	for name, lines := range map[string][]string{
		"the same payload type": {"m=video 0 RTP/AVP" + strings.Repeat(" 96", size/3), "a=rtpmap:96 H264/90000"},
		// None of them is read, so that each would have its parameters looked at.
		"and its parameters":   {"m=video 0 RTP/AVP" + strings.Repeat(" 96", size/6), "a=rtpmap:96 H264/90000", fmtp},
		"many parameter lines": {"m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", strings.Repeat("a=fmtp:96 packetization-mode=2;a=b\r\n", size/36)},
		"many rtpmap lines":    {"m=video 0 RTP/AVP x", strings.Repeat("a=rtpmap:97 H264/90000\r\na=rtpmap:96 H265/90000\r\n", size/48)},
		"long rtpmap lines":    {"m=video 0 RTP/AVP 96", "a=rtpmap:96 " + strings.Repeat("x", size)},
		"many sections":        {strings.Repeat("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-max-don-diff=1\r\n", size/80)},
		"sections of nothing":  {strings.Repeat("m=\r\n", size/4)},
	} {
		t.Run(name, func(t *testing.T) {
			control, sections := splitSections(sdpOf(lines...))
			describe(control, sections)
			require.LessOrEqual(t, len(sections), maxSections)
			read := 0
			for _, s := range sections {
				pts := s.payloadTypes()
				require.LessOrEqual(t, len(pts), maxPayloadTypes)
				require.Len(t, slices.Compact(slices.Sorted(slices.Values(pts))), len(pts), "one of them twice")
				require.LessOrEqual(t, len(s.rtpmap), maxFormatLines)
				require.LessOrEqual(t, len(s.fmtp), maxFormatLines)
				for _, a := range s.rtpmap {
					require.LessOrEqual(t, len(a.value), maxRTPMapSize)
				}
				size := 0
				for _, a := range s.fmtp {
					size += len(a.value)
				}
				require.LessOrEqual(t, size, maxFmtpSize)
				read += s.parameterN
			}
			require.LessOrEqual(t, read, maxParameters, "parameters that were read")
			d := readDescription(sdpOf(append([]string{goodVideo}, lines...)...))
			require.Equal(t, transport.H264, d.Codec)
			require.Contains(t, string(d.SDP), "track1")
		})
	}
}

// What is beyond the last section that is read does not change that one.
func TestSectionsBeyondTheLimitAreLeftOut(t *testing.T) {
	d := readDescription(sdpOf(strings.Repeat("m=audio 0 RTP/AVP 0\r\n", maxSections-1)+goodVideo, "m=audio 0 RTP/AVP 0", "a=control:other", "a=sendonly"))
	require.Contains(t, string(d.SDP), "track1")
}

// TestControlThatIsNoURLIsLeftOut: gortsplib would dereference nil.
func TestControlThatIsNoURLIsLeftOut(t *testing.T) {
	for _, control := range []string{"%zz", "rtsp://[::1", "a\x01b", "*", "rtsp://host:port/x", "é"} {
		d := readDescription(sdpOf("a=control:"+control, "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:"+control))
		require.NotNil(t, d.SDP)
		require.NotContains(t, string(d.SDP), "control", "%q", control)
	}
}

func FuzzReadDescription(f *testing.F) {
	f.Add([]byte(""))
	f.Add(sdpOf("m=video 0 RTP/AVP 96 26", "a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-vps=QAEM;sprop-sps=QgEB,%;sprop-pps=RAHA"))
	f.Add(sdpOf("c=IN ", "m=meta", "m=smart", goodVideo, "m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/16000", "a=fmtp:97 config=zz"))
	f.Add(sdpOf("a=control:rtsp://10.0.0.1/x", "m=video 0 RTP/AVP smart/1/90000", "a=rtpmap:96 H264/90000", "a=control:?x=%20"))
	f.Add(sdpOf(goodVideo + "a=fmtp:96 sprop-parameter-sets=Z0LAKNkAeAIn5YQ=,aMuDyyA=\r\na=sendonly"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := readDescription(body)
		require.LessOrEqual(t, len(d.Video)+len(d.Other), 2*maxListedCodecs)
		require.LessOrEqual(t, len(d.Sets[0])+len(d.Sets[1])+len(d.Sets[2]), depacketize.MaxParameterSets*depacketize.MaxParameterSetBytes)
		for _, s := range append(d.Video, d.Other...) {
			require.Equal(t, quote(s), s, "unfit for a log")
		}
		if d.SDP == nil {
			return
		}
		desc, err := libraryReads(d.SDP)
		require.NoError(t, err, "%q", d.SDP)
		require.Len(t, desc.Medias, 1)
		require.False(t, desc.Medias[0].IsBackChannel)
		require.Len(t, desc.Medias[0].Formats, 1)
	})
}
