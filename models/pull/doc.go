// Package pull fetches face detection models from their authors' servers, from a
// mirror, or from a file. Package models pins the SHA-256 of each model, so the source
// need not be trusted.
package pull
