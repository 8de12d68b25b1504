// Package testenv says what a test needs of the machine: programs, files that
// are not part of the repository, rights, features of the kernel. Need skips the
// test where something is missing, in one format, so that the summary of `make
// test` can count the reasons. With SCRIM_REQUIRE=all, as in .ci/run, what this
// machine could have is not a reason to skip any more: the test fails.
//
// Only tests import it, those of all packages. So it lies at the bottom of the
// tree, below models, which everything may import, and imports nothing of Scrim.
package testenv
