package webrtc

import (
	"embed"
	"io/fs"
	"net/http"
)

// Listed one by one: the folder also has the tests of the scripts.
//
//go:embed page/index.html page/style.css page/icon.svg page/wall.js page/whep.js page/events.js
var pageFiles embed.FS

// pageHandler serves the viewer's page, and whep.js for other pages. The file names
// have no versions, so browsers revalidate them every time.
func pageHandler() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // cannot happen: the directory is embedded
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		serve.ServeHTTP(w, r)
	})
}
