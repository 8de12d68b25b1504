package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"scrim/redact/geom"
)

const (
	// sure is the label's score from which on a face is certain to be one. The labels are
	// another network's, on the clean photograph: below it some are doubtful, and would
	// count as missed. Labels from doubtful on that are not sure are no background either.
	sure     = 0.8
	doubtful = 0.3
	// heldOut is the percentage of the photographs that the built-in network was not
	// trained on, by the hash of the file's name, as models/training/data.py has it.
	heldOut = 15
)

// part is what a photograph is used for.
type part string

const (
	fitting  part = "fit"
	checking part = "check"
)

// photo is a labelled photograph.
type photo struct {
	file string
	w, h float64
	// faces are those that must be found, in pixels of the photograph.
	faces []geom.Box
	// others are faces that need not be: doubtful, or cut by the photograph's border.
	others []geom.Box
}

// readLabels reads the photographs of a folder that the built-in network was not trained on, by
// part; empty ones, without any face, are grounds.
func readLabels(folder string) (photos map[part][]photo, grounds map[part][]photo, err error) {
	f, err := os.Open(filepath.Join(folder, "labels.jsonl")) //nolint:gosec // the user named it
	if err != nil {
		return nil, nil, fmt.Errorf("labels: %w; name the folder of labelled photographs with --photos", err)
	}
	defer func() { _ = f.Close() }()
	photos, grounds = map[part][]photo{}, map[part][]photo{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var l struct {
			File  string
			W, H  float64
			Faces [][5]float64
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, nil, fmt.Errorf("labels.jsonl, line %d: %w", n, err)
		}
		trained, half := split(l.File)
		if trained {
			continue
		}
		p := photo{file: l.File, w: l.W, h: l.H}
		for _, b := range l.Faces {
			box := geom.Box{X: b[0], Y: b[1], W: b[2], H: b[3]}
			switch cut := box.X < 1 || box.Y < 1 || box.X+box.W > l.W-1 || box.Y+box.H > l.H-1; {
			case b[4] >= sure && !cut:
				p.faces = append(p.faces, box)
			case b[4] >= doubtful:
				p.others = append(p.others, box)
			}
		}
		switch {
		case len(p.faces) > 0:
			photos[half] = append(photos[half], p)
		case len(p.others) == 0:
			grounds[half] = append(grounds[half], p)
		}
	}
	for _, half := range []part{fitting, checking} {
		if lines.Err() == nil && (len(photos[half]) == 0 || len(grounds[half]) == 0) {
			return nil, nil, fmt.Errorf("labels.jsonl: no photographs with faces or none without to %s with", half)
		}
	}
	return photos, grounds, lines.Err()
}

// split reports whether the built-in network was trained on a photograph, and which part it
// belongs to if not.
func split(file string) (trained bool, half part) {
	sum := sha256.Sum256([]byte(file))
	if binary.BigEndian.Uint32(sum[:])%100 >= heldOut {
		return true, ""
	}
	if sum[4]&1 == 0 {
		return false, fitting
	}
	return false, checking
}

// unpack extracts photographs from the folder's images-*.tar into a folder of their own. Those that
// lie in the folder itself are not in an archive.
func unpack(folder, to string, wanted map[string]bool) error {
	archives, err := filepath.Glob(filepath.Join(folder, "images-*.tar"))
	if err != nil {
		return err
	}
	slices.Sort(archives)
	for _, name := range archives {
		if err := unpackOne(name, to, wanted); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for file := range wanted {
		if _, err := os.Stat(filepath.Join(to, file)); err != nil {
			if err := os.Link(filepath.Join(folder, file), filepath.Join(to, file)); err != nil {
				return fmt.Errorf("photograph %s is in no archive: %w", file, err)
			}
		}
	}
	return nil
}

func unpackOne(name, to string, wanted map[string]bool) error {
	f, err := os.Open(name) //nolint:gosec // the user named the folder
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		file := filepath.Base(h.Name)
		if h.Typeflag != tar.TypeReg || !wanted[file] {
			continue
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
}
