// Package files redacts files: videos of any codec, and images. Pictures take the
// same way as those of a camera: decoded, inspected, tracked, obscured, and encoded
// as a redact.Frame. There are no slates: a picture without a valid inspection is
// obscured whole, so that the output has every picture.
package files
