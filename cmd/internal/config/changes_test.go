package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChangesNameSettingsAndNoValues(t *testing.T) {
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "f.yaml")
	load := func(password, text string) *Config {
		require.NoError(t, os.WriteFile(secret, []byte(password), 0o600))
		require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "SECRET", "file:"+secret)), 0o600))
		cfg, err := Source{File: file}.Load(CamerasPart | HTTPPart)
		require.NoError(t, err)
		return cfg
	}
	const base = `
nats: {url: "nats://a", user: u, password: SECRET}
cameras:
  - {name: hall, url: "rtsp://h/1", user: u, password: SECRET}
  - {name: gate, url: "rtsp://u:pw1@g/1", obscure: {style: fill}}
  - {name: gone, url: "rtsp://x/1"}
`
	before := load(password, base)
	require.Equal(t, []string{secret}, before.Files(CamerasPart))
	require.False(t, Compare(before, load(password, base)).Any())
	require.False(t, Compare(before, load(password, base+"audit: {flag_vendors: [Dahua]}\n")).Any(), "no running part depends on audit")

	c := Compare(before, load("another", base))
	require.Equal(t, map[Name][]string{"hall": {"password"}}, c.Cameras)
	require.Equal(t, []string{"nats.password"}, c.Others)
	require.Equal(t, c.Others, c.Static(CamerasPart))

	c = Compare(before, load(password, "defaults: {obscure: {style: mosaic}}\nmodel: a.onnx\nhttp: {listen: '127.0.0.1:1'}\n"+
		strings.NewReplacer("pw1", "pw2", "gone", "new", `"rtsp://h/1"`, `"rtsp://h/1", zones: [{kind: mask, polygon: [[0,0],[1,0],[1,1]]}]`).Replace(base)))
	require.Equal(t, &Changes{
		Added: []Name{"new"}, Removed: []Name{"gone"},
		Cameras: map[Name][]string{"hall": {"zones", "obscure.style"}, "gate": {"url"}}, // a password in a URL counts
		Others:  []string{"model", "http.listen"},
	}, c)
	require.Empty(t, c.Static(CamerasPart), "a worker listens at no address")
	require.Equal(t, []string{"http.listen"}, c.Static(CamerasPart|HTTPPart))
}

func TestStaticSettingsStayWhatTheyWere(t *testing.T) {
	start, err := Parse("f", []byte("site: a\nhttp: {listen: ':1'}\n"))
	require.NoError(t, err)
	later, err := Parse("f", []byte("site: b\nhttp: {listen: ':2'}\nmodel: yunet-n\n"+oneCamera))
	require.NoError(t, err)
	got := later.WithStaticOf(start)
	require.Equal(t, Name("a"), got.Site)
	require.Equal(t, Address(":1"), got.HTTP.Listen)
	require.Equal(t, Model("yunet-n"), got.Model)
	require.Len(t, got.Cameras, 1)
	require.Equal(t, Name("b"), later.Site)
}
