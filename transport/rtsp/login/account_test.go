package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp"
)

const (
	answers  = 100 * time.Millisecond // what a device takes for an answer
	channels = 16
)

var (
	errWrongPassword = &rtsp.Error{Class: rtsp.ErrCredentials, Reason: "the camera refuses user or password", LoginRefused: true}
	errGone          = &rtsp.Error{Class: rtsp.ErrUnreachable}
)

// recorder is a device with channels. It belongs to a bubble of synctest.
type recorder struct {
	mu      sync.Mutex
	logins  map[int]int
	at      int // logins that it is answering
	most    int
	refuses func(channel int) bool
	dead    func(channel int) bool
	in      map[int]time.Time // since when channels are let in
	drop    chan struct{}     // closed to end all connections
	all     Accounts
	user    string
}

func newRecorder(refuses func(int) bool) *recorder {
	return &recorder{
		logins: map[int]int{}, in: map[int]time.Time{}, refuses: refuses, dead: func(int) bool { return false }, drop: make(chan struct{}),
		all: make(Accounts), user: "u:p@",
	}
}

// channel is a source that reads one of them.
type channel struct {
	*recorder
	n int
	l *Login
}

func (c channel) Run(ctx context.Context, _ func(transport.CameraUnit)) error {
	c.mu.Lock()
	c.logins[c.n]++
	c.at++
	c.most = max(c.most, c.at)
	c.mu.Unlock()
	select {
	case <-time.After(answers):
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.at--
	drop, dead, refuses := c.drop, c.dead(c.n), c.refuses(c.n)
	c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case dead:
		return errGone
	case refuses:
		return errWrongPassword
	}
	c.l.OnPlaying()
	c.mu.Lock()
	c.in[c.n] = time.Now()
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.in, c.n)
	}()
	select {
	case <-drop:
		return errGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect keeps channels connected, as their supervisors do, until ctx ends.
func (r *recorder) connect(ctx context.Context, count int) {
	for n := range count {
		l := r.all.Login(fmt.Sprintf("c%d", n), fmt.Sprintf("rtsp://%s192.0.2.1/%d", r.user, n), nil)
		go func() {
			for ctx.Err() == nil {
				err := l.Source(channel{r, n, l}).Run(ctx, nil)
				select {
				case <-time.After(l.Delay(err)):
				case <-ctx.Done():
				}
			}
		}()
	}
}

func (r *recorder) count() (logins, live int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.logins {
		logins += n
	}
	return logins, len(r.in)
}

// restart ends all connections; dead, if set, says what is gone then.
func (r *recorder) restart(dead func(int) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if dead != nil {
		r.dead = dead
	}
	close(r.drop)
	r.drop = make(chan struct{})
}

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, test func(ctx context.Context, t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		test(ctx, t)
	})
}

func none(int) bool { return false }

func TestManyChannelsDoNotLockTheirDevicesAccount(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T) {
		r := newRecorder(func(int) bool { return true })
		r.connect(ctx, channels)
		time.Sleep(50 * time.Second)
		logins, _ := r.count()
		require.Equal(t, maxRefused, logins)
		time.Sleep(4 * time.Minute)
		logins, _ = r.count()
		require.LessOrEqual(t, logins, 2*maxRefused, "in five minutes")
	})
}

func TestChannelsOfADeviceComeInTogetherOnceOneIsIn(t *testing.T) {
	for user, most := range map[string]int{"u:p@": channels - 1, "": channels} { // without a user there is nothing to lock
		inBubble(t, func(ctx context.Context, t *testing.T) {
			r := newRecorder(none)
			r.user = user
			r.connect(ctx, channels)
			time.Sleep(3 * answers)
			logins, live := r.count()
			require.Equal(t, channels, live)
			require.Equal(t, channels, logins)
			require.Equal(t, most, r.most, "only the first is alone")
		})
	}
}

// Channels that the user must not see keep nobody out who was let in before.
func TestForbiddenChannelsKeepNobodyElseOut(t *testing.T) {
	const forbidden = 4
	inBubble(t, func(ctx context.Context, t *testing.T) {
		r := newRecorder(func(n int) bool { return n < forbidden })
		r.connect(ctx, channels)
		time.Sleep(2 * time.Minute) // the first may have been those
		_, live := r.count()
		require.Equal(t, channels-forbidden, live)
		for _, after := range []time.Duration{10 * time.Second, 3 * time.Minute, 11 * time.Minute} {
			time.Sleep(after)
			r.restart(nil)
			synctest.Wait()
			_, live = r.count()
			require.Zero(t, live)
			time.Sleep(2 * time.Second)
			_, live = r.count()
			require.Equal(t, channels-forbidden, live, "back at once, after %v", after)
		}
	})
}

// A password that is changed in the device ends all connections at once, and is then
// tried as often as a wrong one from the beginning.
func TestAPasswordThatIsChangedInTheDeviceDoesNotLockTheAccount(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T) {
		r := newRecorder(none)
		r.connect(ctx, channels)
		time.Sleep(time.Minute)
		before, live := r.count()
		require.Equal(t, channels, live)
		r.mu.Lock()
		r.refuses = func(int) bool { return true }
		r.mu.Unlock()
		r.restart(nil)
		time.Sleep(50 * time.Second)
		logins, _ := r.count()
		require.Equal(t, before+maxRefused, logins)
	})
}

// Everybody gets a turn, also where most channels have no signal.
func TestChannelsAskInTurn(t *testing.T) {
	const many, good = 64, 63
	inBubble(t, func(ctx context.Context, t *testing.T) {
		r := newRecorder(none)
		r.dead = func(n int) bool { return n != good }
		r.connect(ctx, many)
		time.Sleep(time.Minute)
		_, live := r.count()
		require.Equal(t, 1, live)
		r.restart(func(int) bool { return true })
		time.Sleep(many * 2 * answers)
		before := r.times()
		time.Sleep(many * 10 * answers)
		for n, times := range r.times() {
			require.Greater(t, times, before[n], "channel %d had no turn", n)
		}
	})
}

func (r *recorder) times() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]int, len(r.logins))
	for n, times := range r.logins {
		out[n] = times
	}
	return slices.Clone(out)
}

func TestADeviceThatAnswersLateKeepsNobodyWaitingForLong(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T) {
		a := make(Accounts).of("rtsp://u:p@192.0.2.1/")
		second := make(chan error)
		begun := time.Now()
		hang := runs(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		go func() { _ = (&Login{account: a}).Source(hang).Run(ctx, nil) }()
		synctest.Wait()
		gone := errors.New("gone")
		go func() {
			second <- (&Login{account: a}).Source(runs(func(context.Context) error { return gone })).Run(ctx, nil)
		}()
		require.ErrorIs(t, <-second, gone)
		require.Equal(t, answerTime, time.Since(begun))
		require.Nil(t, a.slot)
	})
}

// runs is a source that gives nothing.
type runs func(ctx context.Context) error

func (r runs) Run(ctx context.Context, _ func(transport.CameraUnit)) error { return r(ctx) }

func TestWhoIsNotTriedIsToldOfWhomTheDeviceRefused(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T) {
		all := make(Accounts)
		wrong := runs(func(context.Context) error { return errWrongPassword })
		// A camera whose path is edited is one camera.
		for n := range 2 * maxRefused {
			l := all.Login("hall", fmt.Sprintf("rtsp://u:p@192.0.2.1/%d", n), nil)
			require.ErrorIs(t, l.Source(wrong).Run(ctx, nil), errWrongPassword)
		}
		for n := range maxRefused - 1 {
			l := all.Login(fmt.Sprint("c", n), "rtsp://u:p@192.0.2.1/", nil)
			require.ErrorIs(t, l.Source(wrong).Run(ctx, nil), errWrongPassword)
		}
		l := all.Login("door", "rtsp://u:p@192.0.2.1/", nil)
		err := l.Source(wrong).Run(ctx, nil)
		require.ErrorContains(t, err, "camera door: not tried: the device refuses the same user and password for camera c1; ")
		require.GreaterOrEqual(t, l.Delay(err), rtsp.MinCredentialsDelay)
		// Another device, if only by its port, and another password.
		for _, url := range []string{"rtsp://u:p@192.0.2.1:8554/", "rtsp://u:other@192.0.2.1/"} {
			require.ErrorIs(t, all.Login("yard", url, nil).Source(wrong).Run(ctx, nil), errWrongPassword)
		}
	})
}
