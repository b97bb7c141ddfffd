package roofline

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDevice(t *testing.T) {
	tests := []struct {
		device        Device
		name          string
		gigaBandwidth float64
		teraFLOPS     float64
	}{
		{Device{Name: "NVIDIA A100-SXM4-80GB", BusWidth: 5120, MemoryClock: 1593e6}, "A100-80GB", 2039, 312},
		{Device{Name: "NVIDIA A100 80GB PCIe", BusWidth: 5120, MemoryClock: 1512e6}, "A100-80GB-PCIe", 1935, 312},
		{Device{Name: "NVIDIA A100-SXM4-40GB", BusWidth: 5120, MemoryClock: 1215e6}, "A100-40GB", 1555, 312},
		{Device{Name: "NVIDIA A100-PCIE-40GB"}, "A100-40GB-PCIe", 1555, 312},
		{Device{Name: "NVIDIA H100 80GB HBM3", BusWidth: 5120, MemoryClock: 2619e6}, "H100", 3352, 989},
		{Device{Name: "NVIDIA H100 PCIe"}, "H100-PCIe", 2000, 756},
		{Device{Name: "NVIDIA H200", BusWidth: 6016, MemoryClock: 3201e6}, "H200", 4814, 989},
		{Device{Name: "NVIDIA H200"}, "H200", 4800, 989},
		{Device{Name: "NVIDIA H200", BusWidth: 6016}, "H200", 4800, 989},
		{Device{Name: "NVIDIA L4", BusWidth: 192, MemoryClock: 6251e6}, "L4", 300, 121},
		{Device{Name: "simulated A100-80GB"}, "A100-80GB", 2039, 312},
	}
	for _, tt := range tests {
		t.Run(tt.device.Name, func(t *testing.T) {
			g, err := tt.device.GPU()
			require.NoError(t, err)
			assert.Equal(t, tt.name, g.Name)
			assert.InDelta(t, tt.gigaBandwidth*1e9, g.Bandwidth, 0.5e9)
			assert.Equal(t, tt.teraFLOPS*1e12, g.FLOPS)
		})
	}
}

func TestDeviceToldByItsDriver(t *testing.T) {
	g, err := Device{Name: "NVIDIA H200", Memory: 1e11, MemoryClock: 3e9, PowerLimit: 500}.GPU()
	require.NoError(t, err)
	assert.Equal(t, GPU{"H200", 1e11, 4.8e12, 989e12, 500, 1.98e9, 3e9, 450e9}, g)
}

func TestUnknownDevices(t *testing.T) {
	for _, name := range []string{"", "Tesla T4", "NVIDIA H200 NVL", "NVIDIA A100-SXM4-80GB MIG 1g.10gb", "NVIDIA L40S"} {
		_, err := Device{Name: name, BusWidth: 384, MemoryClock: 1e9}.GPU()
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), `no peak FLOP/s known for device "`+name+`": the known ones are A100-SXM4-80GB, `)
	}
}

// The data sheets' bandwidths are those of the buses and clocks, to 2.5 %.
func TestSheetsAgreeWithClocks(t *testing.T) {
	bits := map[string]float64{
		"A100-80GB": 5120, "A100-80GB-PCIe": 5120, "A100-40GB": 5120, "A100-40GB-PCIe": 5120,
		"H100": 5120, "H100-PCIe": 5120, "H200": 6016, "L4": 192,
	}
	for _, c := range cards() {
		assert.InEpsilon(t, c.Bandwidth, bits[c.Name]/8*c.MemoryClock*2, 0.025, c.Name)
	}
}
