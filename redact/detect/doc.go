// Package detect finds faces, behind redact.Detector: by a network of YuNet's kind
// (W. Wu, H. Peng and S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine
// Intelligence Research 20, 2023), on package infer or on OpenCV's DNN module. Package
// models has the one that is built in; others come from files. What a network says is
// outside data: it is checked, and what makes no sense is a failed inspection, never
// "no faces".
//
// The network looks at a picture several times: whole and scaled down; whole and very
// small, for faces that fill it; and, with Tiles, in parts of its own size, for
// the small ones. With SkipUnchanged each of these passes remembers the luma that it last
// inspected, as means of 4×4 pixels in blocks of 16×16, and gives the network
// only crops around what differs from that. This is exact up to a threshold: what
// changes the mean of no cell by more than 6 levels, or 8 where the picture is not
// scaled down, waits for the next full inspection. Everything is inspected again
// once a second, every 30 pictures, when over 40 % of the blocks have changed (other
// light, a camera that was bumped), when the colours of over 60 % of the picture
// have, as means of much coarser blocks (night mode), when the size changes, and
// after an error or Reset.
//
// Pictures that are dark, low in contrast or noisy are mended by package mend before the
// network sees them; a new recipe makes everything be inspected again.
package detect
