package camera

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// FuzzMessages lets a redactor that somebody has taken over say what it likes: a line
// is the type of a message and its head, with a body of its own. Between them units of
// the camera arrive, at 1, 2, 3: a line "*" with a "u" if it is provisional, and a "d" if it
// does not follow the one before.
func FuzzMessages(f *testing.F) {
	const hello = `H{"detector":"d","sandbox":[{"name":"seccomp","holds":true}]}`
	const live = `O{"epoch":1,"seq":1,"pts":1,"key":true,"codec":"avc1.42c01f","width":64,"height":48,"state":"live","record":{"regions":[{"rect":[1,2,3,4]}]}}`
	f.Add(hello + "\n" + live + "\nA{\"encoding\":9223372036854775807}\n" + live)
	f.Add(`S{"kind":"starting","part":0,"codec":"c","width":64,"height":48}` + "\n" + hello + "\nF{\"reason\":\"a\\nb\",\"permanent\":true}")
	f.Add(hello + "\n" + `G{"captured":-1,"unit":1,"width":1,"height":1,"state":"live","fence":18446744073709551615}`)
	const provisional = `O{"epoch":1,"seq":1,"pts":1,"key":true,"codec":"c","width":64,"height":48,"state":"live","record":{"unit":1,"regions":[]}}`
	const still = `G{"captured":1,"unit":1,"width":64,"height":48,"state":"live"}`
	f.Add(strings.Join([]string{hello, "*u", provisional, still, "*"}, "\n"))
	f.Add(strings.Join([]string{hello, "*u", provisional, still, "*ud", live, still}, "\n"))
	f.Add(hello + "\n" + `O{"epoch":2,"pts":9223372036854775807,"key":true,"codec":"","width":1,"height":1,"state":"obscured",` +
		`"fault":"no such","reason":"\u0000"}` + "\n" + live)
	f.Add(`S{"kind":"starting","part":0,"codec":"c","width":8193,"height":48}` + "\n" + `S{"kind":"starting","codec":"a b","width":64,"height":48}`)
	const dark = `"codec":"c","width":64,"height":48,"state":"blind","reason":"too dark","fault":"blind","unproved":`
	f.Add(strings.Join([]string{hello, "*", `O{"epoch":1,"key":true,"record":{},` + dark + `"too dark"}`, "*", `O{"epoch":1,` + dark + `"no\nsuch"}`}, "\n"))
	f.Fuzz(func(t *testing.T, said string) {
		r := newRig(t, false)
		r.do(runStarted{true}, processStarted{1, 1})
		r.m.redactor.process.epoch = 1
		check := &promises{t: t, r: r}
		for line := range strings.Lines(said) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" {
				continue
			}
			ch := r.waits()
			if line[0] == '*' {
				gap := transport.GapNone
				if strings.Contains(line, "d") {
					gap = transport.GapLoss
				}
				r.arrives(r.m.units+1, strings.Contains(line, "u"), gap)
			} else if e, err := parse(1, &ipc.Message{Type: ipc.Type(line[0]), Head: []byte(line[1:]), Body: []byte(line)}); err == nil {
				r.do(e)
			} // An error ends the redactor. What it had said before must have been right.
			checkSnapshots(t, r, ch)
			check.all()
			r.now = r.now.Add(tickInterval)
			r.do(tick{})
			check.all()
		}
		r.do(processEnded{1, errSilent})
		check.all()
	})
}

// checkSnapshots checks that a snapshot that was given is not of what is withheld.
func checkSnapshots(t *testing.T, r *rig, ch chan *transport.Snapshot) {
	t.Helper()
	defer r.do(snapshotCanceled{ch})
	select {
	case s := <-ch:
		var w ipc.Snapshot
		require.NoError(t, json.Unmarshal(s.JPEG[1:], &w)) // the line
		require.False(t, w.Unit != 0 && w.Unit == r.m.provisional.number)
		require.NotContains(t, r.m.provisional.rejected, w.Unit)
	default:
	}
}
