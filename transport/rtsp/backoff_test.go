package rtsp

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaitsGrowByKindOfFailure(t *testing.T) {
	tests := []struct {
		class            error
		shortest, second time.Duration // least first and least second wait
		longest          time.Duration
	}{
		{ErrUnreachable, MinNetworkDelay, MinNetworkDelay * 19 / 10, MaxNetworkDelay},
		{ErrStalled, MinNetworkDelay, MinNetworkDelay * 19 / 10, MaxNetworkDelay},
		{ErrProtocol, MinNetworkDelay, MinNetworkDelay * 19 / 10, MaxNetworkDelay},
		{ErrCredentials, MinCredentialsDelay, MinCredentialsDelay * 19 / 10, MaxCredentialsDelay},
		{ErrNotFound, MinSettingsDelay, MinSettingsDelay * 19 / 10, MaxSettingsDelay},
		{ErrUnsupportedCodec, MinSettingsDelay, MinSettingsDelay * 19 / 10, MaxSettingsDelay},
	}
	for _, tt := range tests {
		t.Run(tt.class.Error(), func(t *testing.T) {
			var b Backoff
			err := error(&Error{Camera: "front", Class: tt.class, LoginRefused: true})
			first, second := b.NextDelay(err), b.NextDelay(err)
			require.GreaterOrEqual(t, first, tt.shortest)
			require.Less(t, first, tt.shortest*2)
			require.GreaterOrEqual(t, second, tt.second)
			jitter := map[time.Duration]bool{}
			for range 50 {
				d := b.NextDelay(err)
				require.LessOrEqual(t, d, tt.longest)
				jitter[d] = true
			}
			require.Greater(t, b.NextDelay(err), tt.longest/2)
			require.Greater(t, len(jitter), 10, "all cameras would come back at once")
		})
	}
}

func TestCredentialsNeverWaitLessThanAMinute(t *testing.T) {
	var b Backoff
	bad := error(&Error{Class: ErrCredentials, LoginRefused: true})
	for range 20 {
		b.NextDelay(&Error{Class: ErrUnreachable})
		require.GreaterOrEqual(t, b.NextDelay(bad), time.Minute)
		b.Reset()
	}
}

// Where no login was made none is counted, and who mends the camera need not wait.
func TestALoginThatWasNotMadeWaitsLikeOtherSettings(t *testing.T) {
	var b Backoff
	require.Less(t, b.NextDelay(&Error{Class: ErrCredentials}), 2*MinSettingsDelay)
}

func TestHealthyRunBeginsAnew(t *testing.T) {
	var b Backoff
	for range 20 {
		b.NextDelay(ErrUnreachable)
	}
	require.Greater(t, b.NextDelay(&Error{Class: ErrStalled, Delivered: 10, Lasted: time.Second}), MaxNetworkDelay/2, "a short run is not healthy")
	require.Less(t, b.NextDelay(&Error{Class: ErrStalled, Delivered: 300, Lasted: healthyRun}), 2*MinNetworkDelay)
	require.Less(t, b.NextDelay(errors.New("other")), 4*MinNetworkDelay)
}
