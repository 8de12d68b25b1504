package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// announcing are the containers whose headers state their duration. FFmpeg
// estimates that of others.
var announcing = []string{"matroska", "webm", "mov", "flv", "asf"}

const (
	// shortPercent is how many percent of the announced packets may be missing.
	shortPercent = 2
	// shortTimePercent is how many percent of the announced duration may be missing:
	// it may be that of another track. shortSeconds may always be missing.
	shortTimePercent = 5
	shortSeconds     = 0.5
)

// FileEnding reports whether a file was complete.
type FileEnding struct {
	// Err is why the rest of the file could not be read, or that it ends within a
	// picture; nil: neither is known.
	Err error
	// Damage is what was wrong with the input after the last picture, or which
	// pictures are missing; empty if nothing is known.
	Damage string
	// Warnings are for the user.
	Warnings []string
}

func (e *FileEnding) warn(format string, args ...any) {
	e.Warnings = append(e.Warnings, fmt.Sprintf(format, args...))
}

// Ending reports whether the file was complete, after Next has returned io.EOF.
func (f *File) Ending() FileEnding { return f.ending }

// checkEnding compares what was read with what was announced; once.
func (f *File) checkEnding() {
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
