// Package batch redacts files and folders of files, one after the other, in a redactor
// process. An output appears under its name only when it is whole. A file that crashes
// the process costs that file; the others continue with a new process.
package batch
