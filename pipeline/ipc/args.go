package ipc

// ReadArg begins an argument of scrim-redactor that names a file or folder which
// it reads: it gives up all others before it is told its configuration.
const ReadArg = "--read="

// ReadArgs are the arguments for what a detector is read from.
func ReadArgs(d DetectConfig) []string {
	if d.Model == "" { // it is built in
		return nil
	}
	return []string{ReadArg + d.Model}
}
