// Package config is the YAML file of `scrim serve`, `worker` and `gateway`, and the
// variables and flags that count more than it.
//
// It is strict: an unknown or doubled key, a value of the wrong kind, an empty
// value, an anchor or a tag is an error with file, line and column, or variable or
// flag, in one line, and the name that was probably meant. Every value is of a type
// that cannot hold a bad one. The structs here are the reference of all keys: the
// decoder, the schema, the names of variables and what is told of changes are made
// of them. See docs/scrim.example.yaml for a file that uses them.
package config
