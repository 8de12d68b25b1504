// Package config is the YAML file of `scrim serve`, `worker` and `gateway`.
//
// It is strict: an unknown or doubled key, a value of the wrong kind, an empty
// value, an anchor or a tag is an error with file, line and column in one
// line, and the name that was probably meant. Every value is of a type that
// cannot hold a bad one. The structs here are the reference of all keys; see
// docs/scrim.example.yaml for a file that uses them.
package config
