// Package onvif asks a camera who it is and where its streams are (ONVIF core
// and media specifications, by SOAP over HTTP).
//
// It is small on purpose. The libraries that there are (use-go/onvif and its
// descendant IOTechSystems/onvif) read answers of any length, panic or print
// where they fail, take this machine's clock for the camera's, and try passwords
// again and again; a camera that nobody trusts is asked here. Whatever address
// it names, nothing but the host that was asked is ever called.
package onvif
