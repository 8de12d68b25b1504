// Package config reads the YAML file of `scrim serve`, `worker` and `gateway`, and
// the environment variables and flags that override it.
//
// It is strict: an unknown or repeated key, a value of the wrong kind, an empty
// value, an anchor or a tag is an error. An error is one line. It names the file,
// line and column, or the variable or flag, and suggests the name that was probably
// meant. Every value has a type that cannot hold an invalid one. The structs here
// are the reference of all keys: the decoder, the schema, the variables' names and
// the comparison of configurations are derived from them. docs/scrim.example.yaml
// uses every key.
package config
