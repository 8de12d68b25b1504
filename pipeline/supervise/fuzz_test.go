package supervise

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// nobody is source and sink of a camera. What is published must make sense, whatever
// the redactor says.
type nobody struct {
	t    *testing.T
	last *transport.RedactedUnit
}

func (n *nobody) Run(ctx context.Context, _ func(transport.CameraUnit)) error { return ctx.Err() }

func (n *nobody) Publish(u *transport.RedactedUnit) error {
	require.Equal(n.t, "door", u.Camera)
	require.Positive(n.t, u.Width)
	require.Positive(n.t, u.Height)
	require.NotEmpty(n.t, u.Data)
	require.Contains(n.t, []transport.State{transport.StateLive, transport.StateObscured}, u.State)
	require.NotContains(n.t, u.Reason, "\n")
	if n.last == nil || n.last.Epoch != u.Epoch {
		require.True(n.t, u.Key)
		require.EqualValues(n.t, 1, u.Seq)
		require.True(n.t, n.last == nil || u.Epoch > n.last.Epoch)
	} else {
		require.Equal(n.t, n.last.Seq+1, u.Seq)
	}
	require.True(n.t, n.last == nil || u.PTS > n.last.PTS)
	n.last = u
	return nil
}

func (n *nobody) PublishStatus(transport.Status) error { return nil }
func (n *nobody) PublishEvent(e transport.Event) error {
	require.NotContains(n.t, e.Reason, "\n")
	return nil
}

// FuzzMessages lets a redactor that somebody has taken over say what it likes: a line
// is the type of a message and its head, with a body of its own. Between them units of
// the camera arrive, at 1, 2, 3: a line "*" with a "u" if it is unproven, and a "d" if it
// does not follow the one before.
func FuzzMessages(f *testing.F) {
	const hello = `H{"detector":"d","sandbox":[{"name":"seccomp","holds":true}]}`
	const live = `O{"epoch":1,"seq":1,"pts":1,"key":true,"codec":"avc1.42c01f","width":64,"height":48,"state":"live","record":{"regions":[{"rect":[1,2,3,4]}]}}`
	f.Add(hello + "\n" + live + "\nA{\"encoding\":9223372036854775807}\n" + live)
	f.Add(`S{"class":"starting","part":0,"codec":"c","width":64,"height":48}` + "\n" + hello + "\nF{\"reason\":\"a\\nb\",\"permanent\":true}")
	f.Add(hello + "\n" + `G{"captured":-1,"arrived":1,"width":1,"height":1,"state":"live","fence":18446744073709551615}`)
	const unproven = `O{"epoch":1,"seq":1,"pts":1,"key":true,"codec":"c","width":64,"height":48,"state":"live","record":{"arrived":1,"regions":[]}}`
	const still = `G{"captured":1,"arrived":1,"width":64,"height":48,"state":"live"}`
	f.Add(strings.Join([]string{hello, "*u", unproven, still, "*"}, "\n"))
	f.Add(strings.Join([]string{hello, "*u", unproven, still, "*ud", live, still}, "\n"))
	f.Add(hello + "\n" + `O{"epoch":2,"pts":9223372036854775807,"key":true,"codec":"","width":1,"height":1,"state":"obscured",` +
		`"fault":"no such","reason":"\u0000"}` + "\n" + live)
	f.Fuzz(func(t *testing.T, said string) {
		sink := &nobody{t: t}
		c, err := New(Options{
			Redactor: wire.Config{Site: "test", Camera: "door"}, Program: "none", Source: sink, Sink: sink,
			Delay: func(error) time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		p := &process{
			launched: &launched{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}, c: c, epoch: 1,
			alive: make(chan struct{}, 1), hello: make(chan struct{}),
		}
		c.out.begin(p)
		at := int64(0)
		for line := range strings.Lines(said) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" {
				continue
			}
			ch := c.stills.wait()
			if line[0] == '*' {
				at++
				discontinuity := strings.Repeat("gap", strings.Count(line, "d"))
				c.out.arrived(&transport.CameraUnit{Arrived: time.Unix(0, at), Unproven: strings.Contains(line, "u"), Discontinuity: discontinuity})
				checkStill(t, c, ch)
				continue
			}
			// An error ends the redactor. What it had said before must have been right.
			_ = p.message(&wire.Message{Type: wire.Type(line[0]), Head: []byte(line[1:]), Body: []byte(line)})
			checkStill(t, c, ch)
			c.out.tick(time.Now())
			c.state.tell()
		}
		c.out.ended(coverFor(errSilent))
		c.state.tell()
	})
}

// checkStill checks that a snapshot that was given is not of what is withheld.
func checkStill(t *testing.T, c *Camera, ch <-chan *transport.Still) {
	t.Helper()
	defer c.stills.leave(ch)
	select {
	case s := <-ch:
		var w wire.Shot
		require.NoError(t, json.Unmarshal(s.JPEG[1:], &w)) // the line
		require.False(t, w.Arrived != 0 && w.Arrived == c.out.unproven)
		require.NotContains(t, c.out.refused, w.Arrived)
	default:
	}
}
