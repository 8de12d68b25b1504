package redact

import (
	"image"
	"image/color"
	"image/draw"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"scrim/redact/yuv"
)

// Luma of background and text of a slate, and neutral chroma, limited range.
const (
	slateGround  = 40
	slateWriting = 200
	slateChroma  = 128
)

// slateColumns is the number of characters in a line of a slate.
const slateColumns = 48

// Slate draws what viewers see instead of a picture that may not be shown. It contains
// nothing of any picture. It is not safe for concurrent use.
type Slate struct {
	im    *yuv.Image
	lines []string
}

// NewSlate returns a Slate of the given size in pixels. It fails as yuv.New does.
func NewSlate(width, height int) (*Slate, error) {
	im, err := yuv.New(width, height)
	if err != nil {
		return nil, err
	}
	return &Slate{im: im}, nil
}

// Frame returns a frame with the lines of text, and the reason as the last. It is
// valid until the next call.
func (s *Slate) Frame(reason string, lines ...string) Frame {
	lines = wrap(append(lines, reason))
	if !slices.Equal(lines, s.lines) {
		s.draw(lines)
		s.lines = lines
	}
	return Frame{img: s.im, slate: true, reason: reason}
}

// draw writes the lines in the middle of the picture, in a bitmap font scaled by a
// whole number, so that it stays readable after coding.
func (s *Slate) draw(lines []string) {
	s.im.Fill(slateGround, slateChroma, slateChroma)
	fnt := basicfont.Face7x13
	scale := max(1, s.im.Width/(slateColumns*fnt.Advance))
	textW, textH := 0, len(lines)*fnt.Height
	for _, l := range lines {
		textW = max(textW, len(l)*fnt.Advance)
	}
	mask := image.NewAlpha(image.Rect(0, 0, max(1, textW), max(1, textH)))
	d := font.Drawer{Dst: mask, Src: image.NewUniform(color.Opaque), Face: fnt}
	for i, l := range lines {
		d.Dot = fixed.P((textW-len(l)*fnt.Advance)/2, i*fnt.Height+fnt.Ascent)
		d.DrawString(l)
	}
	luma := &image.Gray{Pix: s.im.Y, Stride: s.im.YStride, Rect: s.im.Bounds()}
	left, top := (s.im.Width-textW*scale)/2, (s.im.Height-textH*scale)/2
	ink := image.NewUniform(color.Gray{Y: slateWriting})
	for y := range textH {
		for x := range textW {
			if mask.AlphaAt(x, y).A != 0 {
				r := image.Rect(left+x*scale, top+y*scale, left+(x+1)*scale, top+(y+1)*scale)
				draw.Draw(luma, r, ink, image.Point{}, draw.Src)
			}
		}
	}
}

// wrap breaks lines at spaces so that each fits, and replaces what the font lacks.
func wrap(lines []string) []string {
	var out []string
	for _, l := range lines {
		line := make([]byte, 0, slateColumns)
		for _, word := range splitWords(l) {
			if len(line) > 0 && len(line)+1+len(word) > slateColumns {
				out = append(out, string(line))
				line = line[:0]
			}
			if len(line) > 0 {
				line = append(line, ' ')
			}
			line = append(line, word...)
		}
		out = append(out, string(line))
	}
	return out
}

// splitWords splits at spaces, replaces characters that are not printable ASCII, and
// cuts words that are longer than a line.
func splitWords(s string) []string {
	var words []string
	var w []byte
	flush := func() {
		if len(w) > 0 {
			words = append(words, string(w))
			w = w[:0]
		}
	}
	for _, r := range s {
		switch {
		case r == ' ' || r == '\t' || r == '\n':
			flush()
			continue
		case r < ' ' || r > '~':
			r = '?'
		}
		w = append(w, byte(r))
		if len(w) == slateColumns {
			flush()
		}
	}
	flush()
	return words
}
