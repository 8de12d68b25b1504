// Package soap is as much of SOAP 1.2 and of WS-Security's UsernameToken profile
// as ONVIF needs, for both sides of a call. What comes from the network is
// hostile: it is bounded in bytes, depth and number of elements, and may hold no
// document type, and so no entities of its own.
package soap
