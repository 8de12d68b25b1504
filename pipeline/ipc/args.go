package ipc

// Arguments of scrim-redactor.
const (
	// ReadArg and WriteArg begin the arguments that name a file or folder which it reads,
	// or writes in. It gives up all others before it reads its configuration.
	ReadArg  = "--read="
	WriteArg = "--write="
	// FilesArg makes it a redactor of files.
	FilesArg = "--files"
	// SandboxCheckArg lets it print a Sandbox as JSON, and exit.
	SandboxCheckArg = "--sandbox-check"
)

// ReadArgs are the arguments for what a detector is read from.
func ReadArgs(d DetectConfig) []string {
	if d.Model == "" { // it is built in
		return nil
	}
	return []string{ReadArg + d.Model}
}
