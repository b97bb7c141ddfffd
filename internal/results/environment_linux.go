package results

import (
	"os"
	"strings"
)

// cpuModel is the processor's model, or "" if /proc/cpuinfo does not name it.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for text := range strings.Lines(string(info)) {
		// Arm kernels give "Model" or nothing.
		if key, value, _ := strings.Cut(text, ":"); strings.EqualFold(strings.TrimSpace(key), "model name") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// boot is what the kernel calls its start, in containers too, or "" if it does not tell.
func boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
