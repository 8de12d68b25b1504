package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/config"
	"scrim/pipeline/scene"
)

const (
	// maxFor bounds the time of a run, maxRepeat the runs, and mostCameras the cameras.
	maxFor      = 24 * time.Hour
	maxRepeat   = 100
	mostCameras = 256
	// maxClip is the longest clip, whether it is drawn, cut from a file or recorded
	// from a camera. Longer runs repeat it.
	maxClip = 30 * time.Second
	// smallestFace divides the picture's height to get the smallest faces. In 1080p
	// these are 33 pixels, or 11 in a detector input of 640, which a detector finds.
	smallestFace = 32
	// learnTime is the time at the start of a clip that does not count with cover motion:
	// the background is learned, and the whole picture obscured.
	learnTime = 12 * time.Second
)

// kind is a kind of scene: the number of people, how long they are away, and the size
// of the largest faces as a fraction of the picture's height (0: the scene's default).
type kind struct {
	people int
	away   time.Duration
	face   float64
}

var (
	busy  = kind{people: 20}
	quiet = kind{people: 1, away: 45 * time.Second, face: 0.125}
	// presets are scenes by name; cameras show the kinds in turn.
	presets = map[string][]kind{"busy": {busy}, "quiet": {quiet}, "mixed": {busy, quiet}}
)

// peers are the other programs that can be measured.
var peers = []string{"gocv", "faceblur"}

// clipTime is the length of clips.
func (c *CLI) clipTime() time.Duration { return min(c.For, maxClip) }

// live reports whether the source is a camera.
func (c *CLI) live() bool { return strings.Contains(c.Source, "://") }

// drawing are the flags of drawn people.
var drawing = slices.Concat([]string{"scene", "size", "fps", "people", "min-face", "max-face", "seed", "clips"}, conditionFlags)

// check fills in defaults and rejects invalid combinations. named are the flags that
// were on the command line.
func (c *CLI) check(named []string) error {
	if c.Source != "" {
		for _, name := range drawing {
			if slices.Contains(named, name) {
				return fmt.Errorf("--%s is for drawn people; remove it with a file or a camera", name)
			}
		}
	}
	if c.FPS == 0 {
		c.FPS = 30
		if c.Capacity {
			c.FPS = 15
		}
	}
	c.Cameras = cmp.Or(c.Cameras, 1)
	c.Paced = c.Paced || c.Cover != config.CoverFaces
	if _, ok := presets[c.Scene]; !ok {
		return fmt.Errorf("invalid --scene %q: must be busy, quiet or mixed", c.Scene)
	}
	for _, p := range c.Peer {
		if !slices.Contains(peers, p) {
			return fmt.Errorf("invalid --peer %q: must be one of %s", p, strings.Join(peers, ", "))
		}
	}
	switch {
	case c.For < time.Second || c.For > maxFor:
		return fmt.Errorf("invalid --for %v: must be from 1s to %v", c.For, maxFor)
	case c.Cover == config.CoverMotion && c.For <= learnTime:
		return fmt.Errorf("--cover motion needs more than --for %v: the background is learned first; choose --for %v", c.For, 2*learnTime)
	case !(c.Dark > 0):
		return fmt.Errorf("invalid --dark %v: there must be some light; choose more than 0, up to 100 percent", c.Dark)
	case c.Repeat < 1 || c.Repeat > maxRepeat:
		return fmt.Errorf("invalid --repeat %d: must be from 1 to %d", c.Repeat, maxRepeat)
	case c.MaxCameras < 1 || c.MaxCameras > mostCameras:
		return fmt.Errorf("invalid --max-cameras %d: must be from 1 to %d", c.MaxCameras, mostCameras)
	case c.Cameras < 1 || c.Cameras > mostCameras || c.Capacity && c.Cameras > c.MaxCameras:
		return fmt.Errorf("invalid --cameras %d: must be from 1 to %d", c.Cameras, min(c.MaxCameras, mostCameras))
	case c.Capacity && c.NoLive:
		return errors.New("--capacity needs live cameras; remove --no-live")
	case c.Capacity && c.Repeat > 1 && c.live():
		return errors.New("--capacity --repeat needs a file or a drawn scene")
	case c.Truth != "" && (c.Source == "" || c.live()):
		return errors.New("--truth needs a video file: drawn people have their own truth, and a camera has none")
	case c.Strict:
		return errors.New("--strict needs --compare")
	case c.live() && !strings.HasPrefix(c.Source, "rtsp://") && !strings.HasPrefix(c.Source, "rtsps://"):
		return errors.New("invalid camera URL: must start with rtsp:// or rtsps://")
	}
	if c.Viewers < 0 {
		c.Viewers = mostCameras
		if c.Capacity {
			c.Viewers = 1
		}
	}
	if !c.Capacity {
		c.Viewers = min(c.Viewers, c.Cameras)
	}
	return nil
}

// skip returns how many pictures at the start of a clip do not count for the cost.
func (c *CLI) skip(clip *bench.Clip) int {
	if c.Cover != config.CoverMotion {
		return bench.WarmUp
	}
	return int(learnTime.Seconds() * clip.FPS())
}

// scenes returns the scenes to draw, one for each clip.
func (c *CLI) scenes() []scene.Options {
	kinds := presets[c.Scene]
	n := min(max(len(kinds), 1), max(c.Cameras, 1))
	if c.Capacity || c.Cameras > 1 {
		n = 2 * len(kinds) // cameras must not all show the same
	}
	out := make([]scene.Options, 0, n)
	for i := range n {
		o := scene.Options{
			Width: c.Size.W, Height: c.Size.H, FPS: c.FPS, Seed: c.Seed + uint64(i), //nolint:gosec // positive
			People: kinds[i%len(kinds)].people, Away: kinds[i%len(kinds)].away, MinFace: c.MinFace, MaxFace: c.MaxFace,
			NoStamp: true, // a real camera has no clock that changes in every picture
		}
		c.apply(&o)
		if c.People != 0 {
			o.People = c.People
		}
		if f := kinds[i%len(kinds)].face; o.MaxFace == 0 && f > 0 {
			o.MaxFace = int(f * float64(c.Size.H))
		}
		o.MinFace = cmp.Or(o.MinFace, max(c.Size.H/smallestFace, scene.LeastFace))
		out = append(out, o)
	}
	return out
}

// settings returns the settings of the cameras.
func (c *CLI) settings() config.Settings {
	s := config.Default().Defaults
	s.Detect.Threshold, s.Detect.Size, s.Detect.Tiles, s.Detect.SkipUnchanged = c.Threshold, c.DetectSize, c.Tiles, c.SkipUnchanged
	s.Detect.Engine = c.Engine
	s.Lookahead, s.Obscure.Style, s.Cover, s.Need = c.Lookahead, c.Style, c.Cover, c.Need
	return s
}

// resultSettings returns the settings for Result.Settings.
func (c *CLI) resultSettings() map[string]any {
	s := c.settings()
	out := map[string]any{
		"for": c.For.String(), "repeat": c.Repeat, "viewers": c.Viewers, "threshold": float64(c.Threshold), "detect_size": int(c.DetectSize),
		"engine": string(c.Engine), "tiles": c.Tiles, "skip_unchanged": c.SkipUnchanged, "lookahead": int(c.Lookahead), "style": string(c.Style),
		"padding": float64(s.Obscure.Padding), "padding_top": float64(s.Obscure.PaddingTop),
		"preset": string(s.Encode.Preset), "keyframe_interval": time.Duration(s.Encode.KeyframeInterval).String(), "transport": string(s.Transport),
	}
	// Results from before these settings were there are compared with their defaults.
	if c.Cover != config.CoverFaces {
		out["cover"] = string(c.Cover)
	}
	if need := c.Need.String(); need != config.Default().Defaults.Need.String() {
		out["need"] = need
	}
	if c.Paced {
		out["paced"] = true
	}
	if conditions := c.conditions(); conditions != "" {
		out["conditions"] = strings.TrimPrefix(conditions, "-")
	}
	return out
}
