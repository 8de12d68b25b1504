package camera

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/zone"
	"scrim/transport"
)

// Whatever a camera sends, the bus takes its status.
func TestRateOfACameraIsBounded(t *testing.T) {
	r, _ := bench(t)
	for range 4000 {
		r.now = r.now.Add(500 * time.Microsecond)
		r.arrives(r.m.units+1, false, "")
	}
	require.EqualValues(t, transport.MaxFPS, r.m.status.at(r.now).ExpectedFPS)
	require.Len(t, r.m.status.arrivedRate.times, maxTimes)
	r.pass(2 * fpsWindow)
	require.Zero(t, r.m.status.at(r.now).ExpectedFPS)
}

func TestStatusThatIsRefusedIsLogged(t *testing.T) {
	log, b := debugLog()
	l := &loop{c: &Camera{log: log}}
	now := time.Unix(1_700_000_000, 0)
	for range 600 {
		l.logStatusError(now, errors.New("rate of 2000 units"))
		now = now.Add(time.Second)
	}
	l.logStatusError(now, context.Canceled)
	require.Len(t, logged(b, "level=WARN", `msg="status cannot be sent" error="rate of 2000 units"`), 2, "at once, and after a minute")
	require.Len(t, logged(b, "level=DEBUG"), 598)
	for range 2 {
		l.logStatusError(now, nil)
		now = now.Add(calm)
	}
	l.logStatusError(now, errors.New("again"))
	require.Len(t, logged(b, "level=WARN"), 3)
}

func TestIgnoredZonesAreInTheStatus(t *testing.T) {
	s := newStatus(&ipc.Config{Zones: []zone.Zone{
		{Kind: "mask", Name: "window"},
		{Kind: "ignore", Name: "lobby screen", Reason: "public_display"},
		{Kind: "tiles"},
	}}, "")
	require.Equal(t, []string{"public_display lobby screen"}, s.s.Ignored)
	s = newStatus(&ipc.Config{}, "")
	require.Nil(t, s.s.Ignored)
}
