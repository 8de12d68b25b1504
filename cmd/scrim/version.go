package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// version is set by the linker; see Makefile.
var version string

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints the version of the program, of Go and the platform.
func (VersionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintf(out, "scrim %s %s %s/%s\n", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// programVersion returns what the linker was given, else what the toolchain
// noted, such as for `go install`.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
