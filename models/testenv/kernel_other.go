//go:build !linux

package testenv

func seccomp() (string, error)    { return missing("only Linux has it") }
func landlock() (string, error)   { return missing("only Linux has it") }
func unconfined() (string, error) { return missing("only Linux tells") }
