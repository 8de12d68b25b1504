// Package rtspserver serves the redacted video of every camera again as RTSP
// (RFC 2326): rtsp://host:8554/<camera>, or rtsps:// with a certificate. A recorder
// that took a camera's own stream is moved over by changing one URL.
//
// It is H.264 without B-frames, over TCP and, without TLS, over UDP. A client gets
// its first picture as a key frame, for which the camera is asked. One that is slow
// has a short queue of its own (package fanout) and goes on at the next key frame.
// Every few seconds a sender report says when the pictures were captured.
//
// Parameter sets come in the description and in-band before every key frame. When
// the size of the pictures changes the sessions are ended: every recorder connects
// again and then has a description that is true, while not every one copes with
// another size in the midst of a file. A slate that covers a camera which cannot be
// shown has the camera's size, and ends nothing. A camera of which nothing comes
// any more, not even slates, has its sessions ended as well.
package rtspserver
