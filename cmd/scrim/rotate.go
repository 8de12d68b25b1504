package main

import (
	"scrim/cmd/internal/config"
	"scrim/pipeline/ipc"
	"scrim/redact/zone"
)

// rotateAuto looks at pictures all four ways.
const rotateAuto = "auto"

// RotateFlag is the value of --rotate: a rotation, or auto.
type RotateFlag struct {
	auto bool
	by   *config.Rotation // nil: not given
}

// UnmarshalText accepts auto, 0, 90, 180 and 270.
func (f *RotateFlag) UnmarshalText(text []byte) error {
	if string(text) == rotateAuto {
		*f = RotateFlag{auto: true}
		return nil
	}
	var r config.Rotation
	if err := r.UnmarshalText(text); err != nil {
		return err
	}
	*f = RotateFlag{by: &r}
	return nil
}

// rotate sets how pictures are turned, by the flags and the camera of the files. Without either
// they are looked at all four ways. The camera's zones lie in its video as viewers
// see it, so they are turned as well if the files are turned in another way.
func (c RedactCmd) rotate(s *ipc.Files, cam ipc.RotateConfig) {
	s.Rotate = cam
	if c.Rotate.auto {
		s.Rotate.By = 0
	} else if c.Rotate.by != nil {
		s.Rotate.By = c.Rotate.by.Rotation()
	}
	if c.RotateView != nil {
		s.Rotate.View = *c.RotateView
	}
	s.AllWays = c.Rotate.by == nil && s.Rotate.By == 0
	other := cam.OfPictures().Inverse().Then(s.Rotate.OfPictures())
	s.Zones, s.Detect = zone.Turn(s.Zones, other), s.Detect.Turned(other)
}
