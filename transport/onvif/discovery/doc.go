// Package discovery finds ONVIF devices in the network of one interface by WS-Discovery
// (OASIS, April 2005, with the types of the ONVIF core specification, section 7). It
// sends one probe, twice, and only if someone names the interface. Anyone in that
// network may answer anything: answers are bounded, and no address in them is called.
package discovery
