package webrtc

import (
	"embed"
	"io/fs"
	"net/http"
)

// Named one by one: the folder also has the tests of the scripts.
//
//go:embed page/index.html page/style.css page/icon.svg page/wall.js page/whep.js page/events.js
var pageFiles embed.FS

// pageHandler serves the viewer's page, and whep.js for other pages. The files have no versions in their
// names, so browsers ask each time whether they are new.
func pageHandler() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		serve.ServeHTTP(w, r)
	})
}
