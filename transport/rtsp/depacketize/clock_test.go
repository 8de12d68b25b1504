package depacketize

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// Quirk (gortsplib v4.16.2): it reads the fraction as nanoseconds.
func TestFractionOfNTPTimeIsBinary(t *testing.T) {
	for frac, want := range map[uint64]time.Duration{
		0: 0, 1 << 31: 500 * time.Millisecond, 1 << 30: 250 * time.Millisecond, 1<<32 - 1: time.Second - 1,
	} {
		require.Equal(t, time.Unix(1_700_000_000, 0).Add(want), ntpTime((1_700_000_000+2_208_988_800)<<32|frac))
	}
}

func ntpOf(at time.Time) uint64 {
	return uint64(at.Unix()+2_208_988_800)<<32 | uint64(at.Nanosecond())<<32/1_000_000_000
}

func TestCaptureTimeComesFromSaneSenderReports(t *testing.T) {
	arrived := time.Unix(1_700_000_000, 200_000_000)
	taken := arrived.Add(-150 * time.Millisecond)
	report := func(at time.Time) *rtcp.SenderReport {
		return &rtcp.SenderReport{SSRC: 7, NTPTime: ntpOf(at), RTPTime: 100_000}
	}
	t.Run("none", func(t *testing.T) {
		var c senderClock
		require.Equal(t, arrived, c.captured(7, 100_000, arrived))
	})
	t.Run("sane", func(t *testing.T) {
		var c senderClock
		c.report(report(taken.Add(-time.Second)), arrived.Add(-time.Second))
		require.WithinDuration(t, taken, c.captured(7, 190_000, arrived), time.Microsecond)
		require.WithinDuration(t, taken.Add(-1500*time.Millisecond), c.captured(7, 55_000, arrived), time.Microsecond, "before the report")
		require.Equal(t, arrived, c.captured(8, 190_000, arrived), "of another source")
		require.Equal(t, arrived.Add(2*time.Minute), c.captured(7, 190_000, arrived.Add(2*time.Minute)), "too old")
		c.forget()
		require.Equal(t, arrived, c.captured(7, 190_000, arrived))
	})
	for name, at := range map[string]time.Time{
		"clock ahead": arrived.Add(time.Minute), "clock behind": arrived.Add(-time.Hour), "just ahead": arrived.Add(time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			var c senderClock
			c.report(report(at), arrived)
			require.Equal(t, arrived, c.captured(7, 100_000, arrived))
		})
	}
	t.Run("camera without a clock", func(t *testing.T) {
		var c senderClock
		c.report(&rtcp.SenderReport{SSRC: 7, RTPTime: 1000}, arrived)
		require.Equal(t, arrived, c.captured(7, 100_000, arrived))
	})
}

// FuzzSenderClock takes whatever a camera sends as RTCP.
func FuzzSenderClock(f *testing.F) {
	arrived := time.Unix(1_700_000_000, 0)
	for _, ntp := range []uint64{0, 1, ntpOf(arrived), ntpOf(arrived.Add(24 * time.Hour)), 1<<64 - 1} {
		raw, err := (&rtcp.SenderReport{SSRC: 7, NTPTime: ntp, RTPTime: 1<<32 - 1}).Marshal()
		require.NoError(f, err)
		f.Add(raw, uint32(7), uint32(90_000))
	}
	f.Fuzz(func(t *testing.T, raw []byte, ssrc, stamp uint32) {
		packets, err := rtcp.Unmarshal(raw)
		if err != nil {
			return
		}
		var c senderClock
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok {
				c.report(sr, arrived)
			}
		}
		at := c.captured(ssrc, stamp, arrived)
		require.False(t, at.After(arrived), "a picture of the future")
		require.LessOrEqual(t, arrived.Sub(at), maxCaptureAge)
	})
}
