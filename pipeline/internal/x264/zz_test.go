package x264

import (
	"crypto/sha256"
	"fmt"
	"github.com/asticode/go-astiav"
	"os/exec"
	"scrim/redact/yuv"
	"testing"
)

func TestZZ(t *testing.T) {
	exec.Command("sh", "-c", "ffmpeg -v error -y -f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -f rawvideo -pix_fmt yuv420p /tmp/exp/raw.yuv").Run()
	raw, _ := exec.Command("cat", "/tmp/exp/raw.yuv").Output()
	for range 12 {
		s, err := NewStream(StreamOptions{Width: 320, Height: 240, TimeBase: astiav.NewRational(1, 1000), Rate: astiav.NewRational(25, 1)})
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		emit := func(p StreamPacket) error { h.Write(p.Data); return nil }
		for i := range 50 {
			im, _ := yuv.New(320, 240)
			src := raw[i*320*240*3/2:]
			for y := range 240 {
				copy(im.Y[y*im.YStride:], src[y*320:y*320+320])
			}
			for y := range 120 {
				copy(im.U[y*im.CStride:], src[320*240+y*160:][:160])
				copy(im.V[y*im.CStride:], src[320*240+160*120+y*160:][:160])
			}
			if err := s.Encode(im, int64(i), emit); err != nil {
				t.Fatal(err)
			}
		}
		s.Flush(emit)
		s.Close()
		fmt.Printf("%x\n", h.Sum(nil)[:6])
	}
}
