// Package onviftest is an ONVIF device over real HTTP for tests of those that ask
// one.
package onviftest
