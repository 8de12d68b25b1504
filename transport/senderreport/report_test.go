package senderreport

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

func TestNTPTimestampHoldsABinaryFraction(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{time.Unix(-ntpOffset, 0), 0},
		{time.Unix(0, 0), ntpOffset << 32},
		{time.Unix(1, 500_000_000), (ntpOffset+1)<<32 | 1<<31},
		{time.Unix(1, 750_000_000), (ntpOffset+1)<<32 | 3<<30},
		{time.Unix(1, 999_999_999), (ntpOffset+1)<<32 | 0xfffffffb},
	} {
		require.Equal(t, c.want, NTP(c.at), "%v", c.at)
	}
}

func TestReportsCountAndComeInTime(t *testing.T) {
	var s Sender
	now := time.Unix(1000, 0)
	require.True(t, s.Due(now), "the first is due at once")
	s.Sent(&rtp.Packet{Payload: make([]byte, 100)})
	s.Sent(&rtp.Packet{Payload: make([]byte, 20)})
	r := s.Report(7, 9000, now)
	require.EqualValues(t, 7, r.SSRC)
	require.EqualValues(t, 9000, r.RTPTime)
	require.Equal(t, NTP(now), r.NTPTime)
	require.EqualValues(t, 2, r.PacketCount)
	require.EqualValues(t, 120, r.OctetCount)
	require.False(t, s.Due(now.Add(Interval-1)))
	require.True(t, s.Due(now.Add(Interval)))
	require.True(t, s.Due(now.Add(-1)), "a clock that was set back")
}
