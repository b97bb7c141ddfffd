//go:build !linux

package client

// Prioritise does nothing on this system, and says so.
func Prioritise() string { return "ordinary priority" }
