// Package onvif asks a camera for its identity and the addresses of its streams (ONVIF
// core and media specifications, SOAP over HTTP).
//
// It is deliberately small. The existing libraries (use-go/onvif and its descendant
// IOTechSystems/onvif) read answers of any length, panic or print on errors, use this
// machine's clock for the camera's, and retry passwords. This package is for cameras
// that nobody trusts: whatever address a camera names, only the requested host is
// called.
package onvif
