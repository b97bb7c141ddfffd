package roofline

// A GPU is what bounds inference on one device.
type GPU struct {
	Name      string
	Memory    float64 // bytes
	Bandwidth float64 // peak bytes/s of device memory
	FLOPS     float64 // peak dense bf16 operations/s
}

// Derated returns the GPU at a share of its peaks, each in (0, 1]: what
// kernels reach rather than what the data sheet says.
func (g GPU) Derated(bandwidth, flops float64) GPU {
	g.Bandwidth *= bandwidth
	g.FLOPS *= flops
	return g
}
