package ipc

// Arguments of scrim-redactor.
const (
	// ReadArg and WriteArg are the prefixes of arguments that name a file or folder to
	// read, or a folder to write in. The process gives up access to all others before
	// it reads its configuration.
	ReadArg  = "--read="
	WriteArg = "--write="
	// FilesArg starts a redactor of files.
	FilesArg = "--files"
	// LookArg starts a redactor that only looks.
	LookArg = "--look"
	// SandboxCheckArg prints a Sandbox as JSON and exits.
	SandboxCheckArg = "--sandbox-check"
)

// ReadArgs returns the arguments for the files of a detector.
func ReadArgs(d DetectConfig) []string {
	if d.Model == "" { // built in
		return nil
	}
	return []string{ReadArg + d.Model}
}
