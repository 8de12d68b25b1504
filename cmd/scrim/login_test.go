package main

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

func TestARefusedLoginIsNotTriedAnewBeforeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := make(accounts)
		of := func(url string, before *running) *running {
			p := plan{ingest: rtsp.Config{Camera: "yard", URL: url}}
			return &running{plan: p, login: all.loginOf(&p, before)}
		}
		cam := &asked{err: &rtsp.Error{Class: rtsp.ErrCredentials, LoginRefused: true}}
		try := func(r *running) time.Duration {
			return r.login.delay(source{cam, r.login}.Run(t.Context(), nil))
		}
		r := of("rtsp://u:wrong@192.0.2.1/", nil)
		first := try(r)
		require.GreaterOrEqual(t, first, rtsp.MinCredentialsDelay)
		for range 3 { // edits
			time.Sleep(10 * time.Second)
			r = of("rtsp://u:wrong@192.0.2.1/", r)
			first -= 10 * time.Second
			require.Equal(t, first, try(r))
			require.Equal(t, 1, cam.n)
		}
		time.Sleep(first)
		second := try(r)
		require.Equal(t, 2, cam.n)
		require.Greater(t, second, rtsp.MinCredentialsDelay*3/2, "waits grow on")

		r = of("rtsp://u:right@192.0.2.1/", r)
		try(r)
		require.Equal(t, 3, cam.n, "another password is tried at once")

		// No login was made.
		for _, err := range []error{&rtsp.Error{Class: rtsp.ErrCredentials}, &rtsp.Error{Class: rtsp.ErrNotFound}, errors.New("x"), nil} {
			cam.n, cam.err = 0, err
			r = of("rtsp://u:"+t.Name()+"@192.0.2.1/", nil)
			try(r)
			try(of("rtsp://u:"+t.Name()+"@192.0.2.1/", r))
			require.Equal(t, 2, cam.n)
		}
	})
}
