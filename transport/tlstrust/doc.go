// Package tlstrust decides which certificate of a camera is accepted, for RTSP and
// ONVIF over TLS. A certificate is either pinned or issued by a trusted authority.
package tlstrust
