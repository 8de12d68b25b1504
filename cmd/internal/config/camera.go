package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"scrim/pipeline/ipc"
)

// Address returns the URL for connecting to the camera, with user and password.
// It must not be printed. It is a copy.
func (c *Camera) Address() *url.URL {
	u := *c.URL.u
	if c.User != "" {
		u.User = url.UserPassword(c.User, c.Password.Value())
	}
	return &u
}

// NewCameraURL parses the URL of a camera that is not in a file.
func NewCameraURL(u string) (CameraURL, error) {
	var c CameraURL
	if err := c.UnmarshalText([]byte(u)); err != nil {
		return CameraURL{}, err
	}
	return c, nil
}

// Redactor returns the configuration of a camera's redactor. The caller adds the
// model's path, name and hash, and the epoch.
func (c *Config) Redactor(cam *Camera) ipc.Config {
	return ipc.Config{
		Site:   string(c.Site),
		Camera: string(cam.Name),
		Detect: ipc.DetectConfig{
			Engine:        string(cam.Detect.Engine),
			Size:          int(cam.Detect.Size),
			Threshold:     float64(cam.Detect.Threshold),
			TileAreas:     tileAreas(cam.Zones),
			Tiles:         cam.Detect.Tiles,
			SkipUnchanged: cam.Detect.SkipUnchanged,
		},
		RequireSandbox: c.RequireSandbox,

		Cover: ipc.CoverConfig{Mode: string(cam.Cover), Absorb: time.Duration(cam.Absorb)},
		Sight: ipc.SightConfig{
			NeedPixels: cam.Need.Pixels, NeedPercent: cam.Need.Percent,
			WhenBlind: string(cam.WhenBlind), Interval: time.Duration(cam.SightInterval),
		},

		Rotate:    ipc.RotateConfig{By: cam.Rotate.Rotation(), View: cam.RotateView},
		Lookahead: int(cam.Lookahead),
		Zones:     zones(cam.Zones),
		Obscure: ipc.ObscureConfig{
			Style:      string(cam.Obscure.Style),
			Padding:    float64(cam.Obscure.Padding),
			PaddingTop: float64(cam.Obscure.PaddingTop),
			Cells:      int(cam.Obscure.Cells),
			Cosmetic:   cam.Obscure.Cosmetic,
		},
		Encode: ipc.EncodeConfig{
			Bitrate:          int(cam.Encode.Bitrate),
			Preset:           string(cam.Encode.Preset),
			KeyframeInterval: time.Duration(cam.Encode.KeyframeInterval),
		},
	}
}

// Warnings returns one line for each setting that is valid but risky, such as a
// viewer page without a token.
func (c *Config) Warnings() []string {
	out := slices.Clone(c.notes)
	if !c.HTTP.Listen.Loopback() && !c.HTTP.Token.IsSet() {
		out = append(out, fmt.Sprintf("anyone who reaches %s may watch; set `http.token`", c.HTTP.Listen))
	}
	if c.NATS.Listen != "" && !c.NATS.Listen.Loopback() {
		out = append(out, fmt.Sprintf("NATS traffic at %s is not encrypted; use a trusted network, or `nats.url` with tls://", c.NATS.Listen))
	}
	if slices.Contains(c.HTTP.AllowOrigins, "*") && !c.HTTP.Token.IsSet() {
		out = append(out, "any web page that a viewer opens may show the cameras; set `http.token`, or list the allowed origins")
	}
	out = append(out, c.rtspServerWarnings()...)
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		if cam.Obscure.Cosmetic {
			out = append(out, fmt.Sprintf("camera %s: `cosmetic: true`, faces may be recovered from its video", cam.Name))
		}
		if cam.WhenBlind == WhenBlindWarn {
			out = append(out, fmt.Sprintf("camera %s: `when_blind: warn`, faces are shown where its detector cannot see", cam.Name))
		}
		if n := cam.Need; n.Percent > RiskyNeedPercent {
			out = append(out, fmt.Sprintf("camera %s: `need: %v` is above %d%% of the picture's height: smaller faces may be recognised and not found",
				cam.Name, n, RiskyNeedPercent))
		}
		if _, has := cam.URL.u.User.Password(); has {
			out = append(out, fmt.Sprintf("camera %s: password in the URL; use `user` and `password: file:PATH`", cam.Name))
		}
		if cam.AllowBasic && cam.URL.u.Scheme == "rtsp" {
			out = append(out, fmt.Sprintf("camera %s: `allow_basic` may send its password in the clear", cam.Name))
		}
	}
	return out
}
