package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"scrim/pipeline/ipc"
)

// Address returns the URL with which to connect to the camera, user and
// password included: it is not to be printed. It is a copy.
func (c *Camera) Address() *url.URL {
	u := *c.URL.u
	if c.User != "" {
		u.User = url.UserPassword(c.User, c.Password.Value())
	}
	return &u
}

// NewCameraURL returns u as a camera's URL, for cameras that no file names.
func NewCameraURL(u string) (CameraURL, error) {
	var c CameraURL
	if err := c.UnmarshalText([]byte(u)); err != nil {
		return CameraURL{}, err
	}
	return c, nil
}

// Redactor returns what a camera's redactor needs to know. The model's path,
// name and hash are left to package models and the caller; so is the epoch.
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

		Lookahead: int(cam.Lookahead),
		Zones:     wireZones(cam.Zones),
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

// Warnings says in one line each what is allowed and yet deserves a second
// look before the cameras of other people are shown to the world.
func (c *Config) Warnings() []string {
	out := slices.Clone(c.notes)
	if !c.HTTP.Listen.Loopback() && !c.HTTP.Token.IsSet() {
		out = append(out, fmt.Sprintf("everyone who reaches %s may watch; set `http.token`", c.HTTP.Listen))
	}
	if c.NATS.Listen != "" && !c.NATS.Listen.Loopback() {
		out = append(out, fmt.Sprintf("what %s carries is not encrypted; listen in a network that you trust, or use `nats.url` with tls://", c.NATS.Listen))
	}
	if slices.Contains(c.HTTP.AllowOrigins, "*") && !c.HTTP.Token.IsSet() {
		out = append(out, "every page that a viewer's browser opens may show the cameras; set `http.token`, or name the origins")
	}
	out = append(out, c.rtspServerWarnings()...)
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		if cam.Obscure.Cosmetic {
			out = append(out, fmt.Sprintf("camera %s: declared cosmetic, faces may be recovered from its video", cam.Name))
		}
		if _, has := cam.URL.u.User.Password(); has {
			out = append(out, fmt.Sprintf("camera %s: its password lies in this file; use `user` and `password: file:PATH`", cam.Name))
		}
		if cam.AllowBasic && cam.URL.u.Scheme == "rtsp" {
			out = append(out, fmt.Sprintf("camera %s: allow_basic sends its password in the clear", cam.Name))
		}
	}
	return out
}
