// Package probe finds out what a technician wants to know of a camera before it
// is mounted: whether it can be reached and logged in to, what its video is like,
// what ONVIF says of it, what will give trouble and what to do about it, and the
// configuration to paste. It tries credentials once: cameras lock accounts after
// about five bad logins.
package probe
