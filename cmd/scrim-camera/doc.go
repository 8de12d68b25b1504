// Command scrim-camera is a simulated camera: an RTSP server that shows drawn people,
// whose faces are known exactly, or any video file in a loop.
//
//	scrim-camera                          # rtsp://127.0.0.1:8554/camera
//	scrim-camera --size 1920x1080 --fps 30 --people 20
//	scrim-camera --record a.mp4 --truth a.truth.jsonl --for 60s
//	scrim-camera clip.mp4 --user admin --password-file secret
package main
