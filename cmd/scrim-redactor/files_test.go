package main

import (
	"image"
	"image/color/palette"
	"image/gif"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

// Such as when the program that started it was killed.
func TestUnfinishedOutputIsRemovedWhenNobodyReads(t *testing.T) {
	in, out := filepath.Join(t.TempDir(), "in.gif"), t.TempDir()
	var movie gif.GIF
	for range 500 {
		movie.Image, movie.Delay = append(movie.Image, image.NewPaletted(image.Rect(0, 0, 320, 240), palette.Plan9)), append(movie.Delay, 4)
	}
	f, err := os.Create(in)
	require.NoError(t, err)
	require.NoError(t, gif.EncodeAll(f, &movie))
	require.NoError(t, f.Close())

	cmd := program(t, asRedactor)
	cmd.Args = append(cmd.Args, ipc.FilesArg, ipc.ReadArg+in, ipc.WriteArg+out)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	w, r := ipc.NewWriter(stdin), ipc.NewReader(stdout)
	c := builtIn()
	require.NoError(t, w.Write(ipc.TypeFiles, ipc.Files{Detect: c.Detect, Sizes: []int{320}, Obscure: c.Obscure}, nil))
	require.NoError(t, w.Write(ipc.TypeFile, ipc.File{
		Name: "in.gif", Kind: ipc.Video, In: in, Out: filepath.Join(out, "out.mp4"), Temp: filepath.Join(out, "out.partial"),
	}, nil))
	for _, want := range []ipc.Type{ipc.TypeHello, ipc.TypeFileBegin, ipc.TypeFileFrame} {
		m, err := r.Read()
		require.NoError(t, err)
		require.Equal(t, want, m.Type, string(m.Head))
	}
	require.FileExists(t, filepath.Join(out, "out.partial"))
	require.NoError(t, stdout.Close())
	require.NoError(t, stdin.Close())
	_ = cmd.Wait()
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, left)
}
