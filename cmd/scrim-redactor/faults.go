//go:build faults

package main

// void scrim_segfault(void);
// void scrim_throw(void);
// void scrim_exhaust(void);
// void scrim_trace(void);
import "C"

import (
	"fmt"
	"os"
	"strings"

	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/yuv"
)

// faultArg is followed by the fault of a redactor that was built for tests.
const faultArg = "--fault="

// faultAfter is how many pictures are inspected before the fault.
const faultAfter = 10

// faulty is a detector whose C code misbehaves, as if a camera had compromised it.
type faulty struct {
	redact.PartDetector
	fault    string
	pictures int
}

func openDetector(c detect.Config) (redact.Detector, error) {
	d, err := detect.Open(c)
	if err != nil {
		return nil, err
	}
	for _, a := range os.Args[1:] {
		if fault, ok := strings.CutPrefix(a, faultArg); ok {
			return &faulty{PartDetector: d.(redact.PartDetector), fault: fault}, nil //nolint:forcetypeassert // detect.Open returns no other
		}
	}
	return d, nil
}

func (f *faulty) Detect(im *yuv.Image) ([]face.Face, error) {
	if f.pictures++; f.pictures > faultAfter {
		switch f.fault {
		case "segfault":
			C.scrim_segfault()
		case "exception":
			C.scrim_throw()
		case "memory in C":
			C.scrim_exhaust()
		case "memory in Go":
			var all [][]byte
			for {
				all = append(all, make([]byte, 64<<20))
				all[len(all)-1][0] = 1
			}
		case "trace":
			C.scrim_trace()
		case "hang":
			select {}
		case "garbage":
			fmt.Fprint(os.Stdout, strings.Repeat("garbage ", 100))
		}
	}
	return f.PartDetector.Detect(im)
}
