// Package onviftest is an ONVIF device over real HTTP, for tests of clients.
package onviftest
