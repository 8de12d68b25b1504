package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp"
)

// recorder is a device with channels, which counts who logs in.
type recorder struct {
	logins  atomic.Int64
	at      atomic.Int64 // logins that it is answering
	most    atomic.Int64
	refuses func(channel int) bool
}

type channel struct {
	*recorder
	n int
}

var errWrongPassword = &rtsp.Error{Class: rtsp.ErrCredentials, Reason: "the camera refuses user or password", LoginRefused: true}

func (c channel) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	c.logins.Add(1)
	c.most.Store(max(c.most.Load(), c.at.Add(1)))
	time.Sleep(100 * time.Millisecond) // of synctest's clock
	c.at.Add(-1)
	if c.refuses(c.n) {
		return errWrongPassword
	}
	onUnit(transport.CameraUnit{})
	<-ctx.Done()
	return ctx.Err()
}

// connectAll keeps channels connected for a time, as their supervisors do, and returns how
// many are live in the end.
func connectAll(t *testing.T, r *recorder, channels int, user string, during time.Duration) (live int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	all := make(accounts)
	var wg sync.WaitGroup
	in := make([]atomic.Bool, channels)
	for n := range channels {
		l := all.loginOf(&plan{ingest: rtsp.Config{URL: fmt.Sprintf("rtsp://%s192.0.2.1/%d", user, n)}}, nil)
		wg.Go(func() {
			for ctx.Err() == nil {
				err := source{channel{r, n}, l}.Run(ctx, func(transport.CameraUnit) { in[n].Store(true) })
				select {
				case <-time.After(l.delay(err)):
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
	for n := range in {
		if in[n].Load() {
			live++
		}
	}
	return live
}

func TestManyChannelsDoNotLockTheirDevicesAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{refuses: func(int) bool { return true }}
		require.Zero(t, connectAll(t, r, 16, "u:wrong@", 50*time.Second))
		require.EqualValues(t, refusals, r.logins.Load())
		r.logins.Store(0)
		connectAll(t, r, 16, "u:wrong@", 5*time.Minute)
		require.LessOrEqual(t, r.logins.Load(), int64(5), "in five minutes")
	})
}

func TestChannelsOfADeviceComeInTogetherOnceOneIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{refuses: func(int) bool { return false }}
		require.Equal(t, 16, connectAll(t, r, 16, "u:right@", time.Second))
		require.Greater(t, r.most.Load(), int64(1), "only the first is alone")
		require.EqualValues(t, 16, r.logins.Load())

		// One that its user may not see keeps nobody else out.
		for refused := range 3 {
			r = &recorder{refuses: func(n int) bool { return n == refused }}
			require.Equal(t, 15, connectAll(t, r, 16, "u:right@", time.Second))
		}
		// Without a user there is nothing to lock.
		r = &recorder{refuses: func(int) bool { return false }}
		require.Equal(t, 16, connectAll(t, r, 16, "", time.Second))
		require.EqualValues(t, 16, r.most.Load())
	})
}

func TestADeviceThatAnswersLateKeepsNobodyWaitingForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := make(accounts).of("rtsp://u:p@192.0.2.1/")
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error), make(chan error)
		hang := supervised(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		begun := time.Now()
		go func() { first <- source{hang, &login{account: a}}.Run(ctx, nil) }()
		synctest.Wait()
		gone := errors.New("gone")
		go func() {
			second <- source{supervised(func(context.Context) error { return gone }), &login{account: a}}.Run(ctx, nil)
		}()
		require.ErrorIs(t, <-second, gone)
		require.Equal(t, answerTime, time.Since(begun))
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		require.Nil(t, a.asking)
	})
}

// supervised is a source that gives nothing.
type supervised func(ctx context.Context) error

func (s supervised) Run(ctx context.Context, _ func(transport.CameraUnit)) error { return s(ctx) }
