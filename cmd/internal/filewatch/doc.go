// Package filewatch reports changes of files: written in place, replaced as editors
// do, or behind a symbolic link that was replaced, as in Kubernetes mounts.
package filewatch
