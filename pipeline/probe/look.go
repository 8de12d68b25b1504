package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
	"scrim/redact/geom"
	"scrim/transport"
)

const (
	// maxLooks is the maximum number of key frames that are looked at, lookInterval the
	// least time between them, and lookBytes their maximum size together.
	maxLooks     = 16
	lookInterval = 400 * time.Millisecond
	lookBytes    = 16 << 20
	// lookTime bounds the time for all of them.
	lookTime = 30 * time.Second
	// A rotation is suggested from minTurned faces on, each counted in each key frame, if
	// there are turnedFactor times as many as faces that lie in other ways.
	minTurned    = 3
	turnedFactor = 2
)

// watched keeps key frames of the stream to look at. It is safe for concurrent use.
type watched struct {
	mu    sync.Mutex
	units []transport.CameraUnit
	bytes int
}

// add keeps a unit if it is a key frame, there is room, and the last one was long ago.
func (k *watched) add(u transport.CameraUnit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.units); n >= maxLooks || k.bytes+len(u.Data) > lookBytes || n > 0 && u.Arrived.Sub(k.units[n-1].Arrived) < lookInterval {
		return
	}
	if info, err := bitstream.Inspect(u.Codec, u.Data); err != nil || !info.Key {
		return
	}
	k.units = append(k.units, u)
	k.bytes += len(u.Data)
}

// Faces are the faces that were seen in the measured stream.
type Faces struct {
	// Pictures is how many pictures were looked at, all four ways.
	Pictures int `json:"pictures"`
	// Turned counts the faces, each in each picture, by how many degrees the picture must be
	// turned clockwise for them to be upright.
	Turned map[geom.Rotation]int `json:"turned"`
}

// suggestion returns the rotation that the camera should have; Upright if there is no
// reason for another.
func (f *Faces) suggestion() geom.Rotation {
	all := 0
	for _, n := range f.Turned {
		all += n
	}
	for _, r := range geom.Rotations[1:] {
		if n := f.Turned[r]; n >= minTurned && n >= turnedFactor*(all-n) {
			return r
		}
	}
	return geom.Upright
}

// look lets a redactor look for faces in the key frames.
func (p *prober) look(ctx context.Context, k *watched) {
	k.mu.Lock()
	units := k.units
	k.mu.Unlock()
	if p.o.Redactor == "" || len(units) == 0 || p.r.Stream == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	faces, err := lookAt(ctx, p.o.Redactor, p.o.Detect, units)
	if err != nil {
		p.problem(Note, "it was not checked whether the camera hangs upright: "+transport.Plain(err.Error(), maxReason),
			"look at its picture; see `rotate` if people lie in it")
	}
	if faces.Pictures > 0 {
		p.r.Faces = faces
	}
}

// lookAt starts a redactor that only looks, and returns what it has seen until an error.
func lookAt(ctx context.Context, program string, detect ipc.DetectConfig, units []transport.CameraUnit) (*Faces, error) {
	f := &Faces{Turned: map[geom.Rotation]int{}}
	proc, err := redactorproc.Start(redactorproc.Options{Program: program, Args: append([]string{ipc.LookArg}, ipc.ReadArgs(detect)...)})
	if err != nil {
		return f, err
	}
	defer proc.Dismiss()
	defer context.AfterFunc(ctx, proc.Kill)()
	answer := func(head any) error {
		m, err := proc.Read()
		if errors.Is(err, io.EOF) {
			err = proc.Wait()
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("redactor took longer than %v", lookTime)
		case err != nil:
			return err
		case m == nil:
			return errors.New("redactor exited unexpectedly")
		}
		return m.Decode(head)
	}
	var hello ipc.Hello
	if err := proc.Write(ipc.TypeLook, ipc.Look{Detect: detect}, nil); err != nil {
		return f, err
	}
	if err := answer(&hello); err != nil {
		return f, err
	}
	var last error
	for i, u := range units {
		u.Number = uint64(i) + 1 //nolint:gosec // small
		if err := proc.Write(ipc.TypeUnit, u, u.Data); err != nil {
			return f, err
		}
		var looked ipc.Looked
		if err := answer(&looked); err != nil {
			return f, err
		}
		if looked.Error != "" {
			last = errors.New(looked.Error)
			continue
		}
		f.Pictures++
		for r, n := range looked.Faces {
			f.Turned[r] += n
		}
	}
	if f.Pictures == 0 {
		return f, last
	}
	return f, nil
}

// judgeFaces finds out whether the camera should be turned.
func (p *prober) judgeFaces() {
	if p.r.Faces == nil {
		return
	}
	if r := p.r.Faces.suggestion(); r != geom.Upright {
		p.r.Rotate = r
		p.problem(Warning, fmt.Sprintf("people lie in the picture: %d faces are upright only after it is turned by %d° clockwise", p.r.Faces.Turned[r], r),
			fmt.Sprintf("hang the camera upright, turn the picture in its settings, or set `rotate: %d` as below", r))
	}
}
