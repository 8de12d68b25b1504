package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/pipeline/files"
	"scrim/pipeline/ipc"
	"scrim/pipeline/sandbox"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/transport"
)

// runLook looks at the key frames on the pipe, all four ways, until it is closed. It reports
// how the faces lie, and no picture.
func runLook(in *ipc.Reader, out *ipc.Writer) error {
	var c ipc.Look
	if err := readConfig(in, ipc.TypeLook, &c); err != nil {
		return err
	}
	cv.SetThreads(1)
	detector, err := files.OpenDetector(ipc.Files{Detect: c.Detect, Sizes: []int{c.Detect.Size}, AllWays: true})
	if err != nil {
		return err
	}
	defer func() { _ = detector.Close() }()
	if err := sendHello(out, detector, sandbox.Confine(sandbox.Camera)); err != nil {
		return err
	}
	for {
		m, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read pipe: %w", err)
		}
		if m.Type != ipc.TypeUnit {
			return fmt.Errorf("%w: message %q", ipc.ErrProtocol, m.Type)
		}
		u, err := m.Unit()
		if err != nil {
			return err
		}
		var looked ipc.Looked
		if looked.Faces, err = look(u, detector); err != nil {
			looked.Error = err.Error()
		}
		if err := out.Write(ipc.TypeLooked, looked, nil); err != nil {
			return err
		}
	}
}

// look returns how many faces lie which way in a key frame.
func look(u transport.CameraUnit, detector redact.Detector) (map[geom.Rotation]int, error) {
	info, err := bitstream.Inspect(u.Codec, u.Data)
	if err != nil {
		return nil, err
	}
	if !info.Key {
		return nil, fmt.Errorf("unit %d is not a key frame", u.Number)
	}
	d, err := decode.New(decode.Options{Codec: u.Codec})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var im *yuv.Image
	take := func(p decode.Picture) error {
		if im == nil && !p.Corrupt {
			im = p.Image
		}
		return nil
	}
	if err := d.Decode(info.Data, 1, take); err != nil {
		return nil, err
	}
	if err := d.Flush(take); err != nil {
		return nil, err
	}
	if im == nil {
		return nil, errors.New("it holds no picture")
	}
	faces, err := detector.Detect(im)
	if err != nil {
		return nil, err
	}
	return lie(faces), nil
}

// sureFace is the score from which on a face says how the picture lies. In a scene that was
// upside down, 186 of 203 faces scored 0.6 in the picture turned by 180°, and 3 of 189
// things that were found in the picture as it was.
const sureFace = 0.6

// lie returns how many faces lie which way. The same face may be found in different ways,
// even at places that hardly overlap, such as its chin and its forehead: the surest counts.
func lie(faces []face.Face) map[geom.Rotation]int {
	faces = slices.Clone(faces)
	slices.SortStableFunc(faces, func(a, b face.Face) int { return cmp.Compare(b.Score, a.Score) })
	found := map[geom.Rotation]int{}
	for i, f := range faces {
		same := func(g face.Face) bool { return g.Box.Intersect(f.Box) > 0 }
		if !f.Weak && f.Score >= sureFace && !slices.ContainsFunc(faces[:i], same) {
			found[f.Rotation]++
		}
	}
	return found
}
