// Package redactorproc starts scrim-redactor and talks to it over two pipes. It is the
// only package that does: every user gets the same environment, working directory, process
// group, bounds on what is read, and reason when it exits.
//
// The process may have been taken over by hostile video. Everything that it writes is
// bounded and cleaned before it reaches a log or a viewer.
package redactorproc
