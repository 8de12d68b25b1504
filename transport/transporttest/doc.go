// Package transporttest has what the tests of several transports need: cameras that
// send what a test wants, waits that end, and a log that a test can read. Only tests
// import it.
package transporttest
