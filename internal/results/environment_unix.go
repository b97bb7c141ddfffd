//go:build linux || darwin

package results

import "golang.org/x/sys/unix"

// kernel is the system's name and release, as uname -sr.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
