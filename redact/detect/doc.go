// Package detect finds faces, behind redact.Detector: YuNet (W. Wu, H. Peng and
// S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence
// Research 20, 2023) on OpenCV's DNN module, and OpenCV's own cascades as the
// last resort. What a network says is outside data: it is checked, and what
// makes no sense is a failed inspection, never "no faces".
package detect
