// Package login keeps cameras from being asked with a wrong password so often that they
// lock the account. Quirk: cameras and recorders do so after about five failed logins,
// some for half an hour, and for the people who use them as well.
//
// Cameras of one host, user and password share an account. Until the device has accepted
// one of them, they log in one after the other; after a few refusals all of them wait.
package login
