// Package pull gets face detection models: from where their authors offer them,
// from a mirror, or from a file. A model is pinned by the SHA-256 that package
// models knows, so where it comes from need not be trusted.
package pull
