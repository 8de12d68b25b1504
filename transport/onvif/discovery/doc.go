// Package discovery finds ONVIF devices in the network of one interface, by
// WS-Discovery (OASIS, April 2005, with the types of the ONVIF core
// specification, section 7). It sends one question, twice, and is never used
// unless somebody names the interface. Whoever is in that network may answer
// anything: answers are bounded, and nothing that they name is called.
package discovery
