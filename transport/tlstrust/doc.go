// Package tlstrust says whose certificate is taken from a camera, whatever is spoken
// within TLS: RTSP or ONVIF. A certificate is pinned, or authorities vouch for it.
package tlstrust
