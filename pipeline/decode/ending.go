package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// announcing are the containers whose headers say how long they are. Of others
// FFmpeg makes a guess.
var announcing = []string{"matroska", "webm", "mov", "flv", "asf"}

const (
	// shortPercent of the packets that a container announces may lack.
	shortPercent = 2
	// shortTimePercent of the duration that a container announces may lack, which
	// may be that of another track; and shortSeconds in any case.
	shortTimePercent = 5
	shortSeconds     = 0.5
)

// FileEnding says whether a file was whole.
type FileEnding struct {
	// Err is why the rest of the file could not be read, or that it was cut off in
	// a picture; nil: neither is known.
	Err error
	// Damage says what was wrong with the input after the last picture, or which
	// pictures there are not; empty: nothing that is known.
	Damage string
	// Warnings are what the user ought to know.
	Warnings []string
}

func (e *FileEnding) warn(format string, args ...any) {
	e.Warnings = append(e.Warnings, fmt.Sprintf(format, args...))
}

// Ending says whether the file was whole, after Next has returned io.EOF.
func (f *File) Ending() FileEnding { return f.ending }

// conclude compares what came with what was announced; once.
func (f *File) conclude() {
	if f.read < 0 {
		return
	}
	e := &f.ending
	e.Damage = f.loss.left()
	if n := f.loss.missing + int64(len(f.loss.waiting)); n > 0 {
		if e.Damage == "" {
			e.Damage = fmt.Sprintf("input is damaged: pictures that could not be decoded: %d", n)
		} else {
			e.warn("pictures that could not be decoded: %d", n)
		}
	}
	tick := float64(f.info.TimeBase.Num()) / float64(f.info.TimeBase.Den())
	seconds, start := float64(f.in.Stream.Duration())*tick, float64(f.in.Stream.StartTime())*tick
	if f.in.Stream.Duration() <= 0 {
		seconds = float64(f.in.Format.Duration()) / 1e6 // AV_TIME_BASE
	}
	if start < 0 { // unknown
		start = 0
	}
	announced := slices.ContainsFunc(strings.Split(f.in.Format.InputFormat().Name(), ","), func(name string) bool {
		return slices.Contains(announcing, name)
	})
	end := float64(f.end)*tick - start
	short := ""
	switch n := f.in.Stream.NbFrames(); {
	case n > 0:
		if f.read < n-n*shortPercent/100 {
			short = fmt.Sprintf("the file ends early: it has %d of %d pictures", f.read, n)
		}
	case announced && seconds > 0 && end < seconds-max(shortSeconds, seconds*shortTimePercent/100):
		short = fmt.Sprintf("the file ends early: its pictures end after %.1f of %.1f seconds", end, seconds)
	}
	switch {
	case short == "":
	case e.Err == nil && f.cut:
		e.Err = errors.New(short)
	default:
		e.warn("%s", short)
	}
	f.read = -1
}
