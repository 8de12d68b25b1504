package files

import (
	"os"
	"os/exec"
	"testing"
)

func TestZZ(t *testing.T) {
	in := testsrc(t, "a.mkv", "-c:v", "libx264", "-bf", "2")
	for i, n := range []string{"/tmp/exp/a.mp4", "/tmp/exp/b.mp4", "/tmp/exp/c.mp4"} {
		_ = i
		r := redactFile(t, in, "a.mp4", nil)
		os.WriteFile(n, contents(t, r.out), 0o600)
	}
	out, _ := exec.Command("sh", "-c", "cd /tmp/exp; md5sum a.mp4 b.mp4 c.mp4; cmp a.mp4 b.mp4; cmp -l a.mp4 b.mp4 | wc -l; ls -l *.mp4; for f in a b; do ffmpeg -v error -i $f.mp4 -f framemd5 - | tail -50 > $f.md5; done; diff a.md5 b.md5 | head -5; for f in a b; do ffprobe -v error -show_packets $f.mp4 > $f.pk; done; diff a.pk b.pk | head").CombinedOutput()
	t.Log(string(out))
}
