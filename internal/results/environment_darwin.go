package results

import "golang.org/x/sys/unix"

// cpuModel is the processor's model, or "" if the system does not tell.
func cpuModel() string {
	model, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return ""
	}
	return model
}

// boot is what the kernel calls its start, or "" if it does not tell.
func boot() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
