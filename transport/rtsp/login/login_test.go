package login

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp"
)

// asked counts how often a camera is asked, and says what it answers.
type asked struct {
	n   int
	err error
}

func (a *asked) Run(context.Context, func(transport.CameraUnit)) error {
	a.n++
	return a.err
}

func TestARefusedLoginIsNotTriedAgainBeforeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := make(Accounts)
		of := func(url string, before *Login) *Login { return all.Login("yard", url, before) }
		cam := &asked{err: &rtsp.Error{Class: rtsp.ErrCredentials, LoginRefused: true}}
		try := func(l *Login) time.Duration { return l.Delay(l.Source(cam).Run(t.Context(), nil)) }
		l := of("rtsp://u:wrong@192.0.2.1/", nil)
		first := try(l)
		require.GreaterOrEqual(t, first, rtsp.MinCredentialsDelay)
		for range 3 { // edits
			time.Sleep(10 * time.Second)
			l = of("rtsp://u:wrong@192.0.2.1/", l)
			first -= 10 * time.Second
			require.Equal(t, first, try(l))
			require.Equal(t, 1, cam.n)
		}
		time.Sleep(first)
		second := try(l)
		require.Equal(t, 2, cam.n)
		require.Greater(t, second, rtsp.MinCredentialsDelay*3/2, "waits grow on")

		l = of("rtsp://u:right@192.0.2.1/", l)
		try(l)
		require.Equal(t, 3, cam.n, "another password is tried at once")

		// No login was made.
		for _, err := range []error{&rtsp.Error{Class: rtsp.ErrCredentials}, &rtsp.Error{Class: rtsp.ErrNotFound}, errors.New("x"), nil} {
			cam.n, cam.err = 0, err
			l = of("rtsp://u:"+t.Name()+"@192.0.2.1/", nil)
			try(l)
			try(of("rtsp://u:"+t.Name()+"@192.0.2.1/", l))
			require.Equal(t, 2, cam.n)
		}
	})
}
