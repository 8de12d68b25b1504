// Package soap has the parts of SOAP 1.2 and of WS-Security's UsernameToken profile
// that ONVIF needs, for clients and servers. Input from the network is hostile: it is
// bounded in bytes, depth and number of elements, and must not contain a document type,
// and so no entities.
package soap
