// Package sandbox takes from a redactor what it does not need, before it sees
// the first byte of a camera, and finds out what that came to.
//
// It does so twice. Launch restricts one thread and executes the program again from
// it, since what holds for a thread alone (no_new_privs, Landlock) holds for all
// of a program that was started from it. Confine is called when the detector is
// loaded: a seccomp filter for all threads at once lets them do nothing but
// compute, and read and write what is open. Then each protection is put to the
// test; one that does not hold is said so, never assumed.
package sandbox
