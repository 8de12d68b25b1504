// Package filewatch tells that files have changed: written, replaced by another as
// editors do, or behind links that were set anew, as where Kubernetes mounts them.
package filewatch
