// Package worker runs the cameras of a site: each gets an RTSP client, a redactor process
// and a publisher on the bus. A new configuration restarts only the cameras that it
// changes. Package camera, below, is one camera.
package worker
