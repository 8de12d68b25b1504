// Package files redacts files: videos of any codec and stills. Every picture
// goes the way of a camera's: decoded, inspected, followed, certified, obscured,
// and coded anew as a redact.Frame. There is no slate in a file: a picture that
// cannot be certified is obscured whole, so that none is missing.
package files
