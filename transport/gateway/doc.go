// Package gateway serves the redacted cameras of one site to viewers: it reads them from
// the bus, and offers the page with WebRTC, an RTSP server for recorders, and an ONVIF
// device that lists the cameras.
package gateway
