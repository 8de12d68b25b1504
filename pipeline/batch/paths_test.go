package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

func TestRedactorOfFilesReachesItsInputsAndTheFoldersOfItsOutputs(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	clip, link, out := filepath.Join(dir, "clip.mp4"), filepath.Join(dir, "link.mp4"), filepath.Join(dir, "out")
	require.NoError(t, os.WriteFile(clip, nil, 0o600))
	require.NoError(t, os.Symlink(clip, link))
	require.NoError(t, os.Mkdir(out, 0o700))
	require.Equal(t, []string{"--read=/m.onnx", "--read=" + clip, "--write=" + out}, pathArgs([]ipc.File{
		{In: link, Out: filepath.Join(out, "a.mp4")}, {In: clip, Out: filepath.Join(out, "made", "later", "b.mp4")},
	}, ipc.DetectConfig{Model: "/m.onnx"}), "where links lead, and the nearest folder that is there")
}

func TestManyFilesAreReachedByTheirFolders(t *testing.T) {
	var list []string
	for i := range 2 * maxPaths {
		list = append(list, fmt.Sprintf("/photos/%d/%d.jpg", i%2, i))
	}
	require.Equal(t, []string{"/photos/0", "/photos/1"}, merge(list))
}
