// Package simcam is a simulated camera: a real RTSP server (gortsplib) with
// H.264 and RTCP sender reports, that shows drawn people or a video file in a
// loop. It has faults to order, so that what happens to a camera in the field
// can happen in a test.
package simcam
