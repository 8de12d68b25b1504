package pull

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
)

func TestModelComesFromTheGivenFileOrURL(t *testing.T) {
	o := serve(t, whole(content))
	file := write(t, t.TempDir(), "brought.bin", content)
	for name, from := range map[string]string{"file": file, "URL": o.URL + "/elsewhere"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "test.onnx.part", content[:5000]) // of a download that was cut off
			path, err := Model(t.Context(), modelAt("https://192.0.2.1/"), dir, Options{From: from, Client: o.Client()})
			require.NoError(t, err)
			requireContent(t, path)
			requireOnly(t, dir, "test.onnx")
		})
	}
	require.Equal(t, []string{"bytes=5000-"}, o.requests())
}

func TestGivenFileOrURLIsStillVerified(t *testing.T) {
	changed := bytes.Clone(content)
	changed[9]++
	m := modelAt()
	folder := t.TempDir()
	for name, c := range map[string]struct {
		from string
		want []string
	}{
		"other content": {write(t, folder, "changed", changed), []string{"changed: wrong SHA-256: got ", ", expected " + m.SHA256}},
		"too long":      {write(t, folder, "long", append(bytes.Clone(content), 1)), []string{"long: 300001 bytes: too large"}},
		"too short":     {write(t, folder, "short", content[1:]), []string{"short: wrong SHA-256"}},
		"absent":        {filepath.Join(folder, "absent"), []string{"absent: no such file"}},
		"folder":        {folder, []string{"not a regular file"}},
		"other scheme":  {"file://" + folder, []string{"only https URLs are allowed"}},
		"plain http":    {"http://192.0.2.1/model", []string{"only https URLs are allowed"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := Model(t.Context(), m, dir, Options{From: c.from})
			require.ErrorContains(t, err, "pull test: "+c.from+": ")
			require.ErrorContains(t, err, "must have SHA-256 "+m.SHA256, "what to do")
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "\n")
			requireOnly(t, dir)
		})
	}
}

func TestMirrorReplacesTheURLs(t *testing.T) {
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/models/v1/test.onnx" {
			http.NotFound(w, r)
			return
		}
		whole(content)(w, r)
	})
	folder := t.TempDir()
	write(t, folder, "test.onnx", content)
	m := modelAt("https://192.0.2.1/")
	for name, c := range map[string]struct{ mirror, from string }{
		"none":                 {"", ""},
		"folder":               {folder, filepath.Join(folder, "test.onnx")},
		"URL":                  {o.URL + "/models/v1", o.URL + "/models/v1/test.onnx"},
		"URL with a slash":     {o.URL + "/models/v1/", o.URL + "/models/v1/test.onnx"},
		"URL that is not one":  {"https://%zz", "https://%zz"},
		"URL with other bytes": {"https://mirror/a b", "https://mirror/a%20b/test.onnx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvMirror, c.mirror)
			require.Equal(t, c.from, Mirror(m))
		})
	}
	for _, mirror := range []string{folder, o.URL + "/models/v1"} {
		t.Setenv(EnvMirror, mirror)
		path, err := Model(t.Context(), m, t.TempDir(), Options{From: Mirror(m), Client: o.Client()})
		require.NoError(t, err)
		requireContent(t, path)
	}
}

// Another user with access to the folder puts links where a pull will write.
func TestNothingIsWrittenThroughAPlantedLink(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		plant func(victim, path string) error
		want  string
	}{
		"symbolic link":               {"test.onnx.part", os.Symlink, "symbolic link"},
		"hard link":                   {"test.onnx.part", os.Link, "other hard links"},
		"pipe":                        {"test.onnx.part", func(_, path string) error { return syscall.Mkfifo(path, 0o600) }, "not a regular file"},
		"symbolic link as the lock":   {"test.onnx.lock", os.Symlink, "symbolic link"},
		"link to what is not there":   {"test.onnx.part", func(victim, path string) error { return os.Symlink(victim+".new", path) }, "symbolic link"},
		"lock that would make a file": {"test.onnx.lock", func(victim, path string) error { return os.Symlink(victim+".new", path) }, "symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, home := t.TempDir(), t.TempDir()
			victim := write(t, home, "precious", []byte("precious"))
			require.NoError(t, c.plant(victim, filepath.Join(dir, c.file)))
			_, err := Model(t.Context(), modelAt(), dir, Options{From: write(t, t.TempDir(), "brought", content)})
			require.ErrorContains(t, err, c.file)
			require.ErrorContains(t, err, c.want)
			left, err := os.ReadFile(victim)
			require.NoError(t, err)
			require.Equal(t, "precious", string(left))
			requireOnly(t, home, "precious")
			require.NoFileExists(t, filepath.Join(dir, "test.onnx"))
		})
	}
}

// If the model's own name is a link, it is replaced, not followed.
func TestLinkInTheModelsPlaceIsReplaced(t *testing.T) {
	dir := t.TempDir()
	victim := write(t, t.TempDir(), "precious", []byte("precious"))
	require.NoError(t, os.Symlink(victim, filepath.Join(dir, "test.onnx")))
	path, err := Model(t.Context(), modelAt(), dir, Options{From: write(t, t.TempDir(), "brought", content)})
	require.NoError(t, err)
	requireContent(t, path)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular())
	left, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(left))
}

func TestPartThatWasReplacedDoesNotBecomeTheModel(t *testing.T) {
	dir := t.TempDir()
	p, err := openPart(filepath.Join(dir, "test.onnx.part"))
	require.NoError(t, err)
	defer p.close()
	require.NoError(t, os.Rename(p.path, p.path+".old"))
	write(t, dir, "test.onnx.part", []byte("of somebody else"))
	require.ErrorContains(t, p.become(filepath.Join(dir, "test.onnx")), "was replaced")
	requireOnly(t, dir, "test.onnx.part", "test.onnx.part.old")
}

func TestModelsWithADownloadSourceCanBePulled(t *testing.T) {
	for _, m := range models.Known()[1:] { // the first is built in
		require.NoError(t, validate(m), m.Name)
	}
	require.ErrorContains(t, validate(models.Known()[0]), "--from")
}
