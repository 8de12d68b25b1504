// Package rtspserver serves the redacted video of every camera over RTSP (RFC 2326):
// rtsp://host:8554/<camera>, or rtsps:// with a certificate. To switch a recorder from
// a camera to the redacted stream, change one URL.
//
// The video is H.264 without B-frames, over TCP and, without TLS, over UDP. A client
// starts with a key frame, which is requested from the camera. A slow client has a
// short queue of its own (package fanout) and continues at the next key frame. A sender
// report every few seconds contains the capture time of the pictures.
//
// Parameter sets are in the description and in band before every key frame. A change of
// the picture size ends the sessions: every recorder reconnects and gets a correct
// description, while many cannot handle a new size within a file. A slate has the size
// of its camera and ends nothing. If a camera sends nothing at all, not even slates,
// its sessions end too.
package rtspserver
