//go:build linux && cgo && !nonvml

package gpuprobe

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A told is what a child process with a fake driver saw.
type toldByChild struct {
	Open    string // Open's error
	State   State
	Devices []Device
	First   Usage
	Last    Usage
	Sample  Sample // the last
	End     State
}

// TestMain watches the fake driver's GPUs if it is a child: go-nvml loads the
// library that the environment names when the process starts.
func TestMain(m *testing.M) {
	if spec := os.Getenv("GPUPROBE_CHILD"); spec != "" {
		if err := json.NewEncoder(os.Stdout).Encode(watch(spec)); err != nil {
			panic(err)
		}
		return
	}
	code := m.Run()
	if fakeDir != "" {
		_ = os.RemoveAll(fakeDir)
	}
	os.Exit(code)
}

// watch marks five times, each over GPM's refresh apart.
func watch(spec string) (c toldByChild) {
	p, err := Open(context.Background(), spec)
	if err != nil {
		c.Open = err.Error()
		return c
	}
	c.State, c.Devices = p.State(), p.Devices()
	if len(c.Devices) == 0 {
		c.End, c.Last = c.State, p.Window(time.Now(), time.Now())
		return c
	}
	p.Start(time.Hour) // marks alone
	from := time.Now()
	mid := from
	for i := range 5 {
		<-time.After(gpmRefresh + 20*time.Millisecond) // GPM needs that long, however late this process runs
		p.Mark()
		if i == 1 {
			mid = time.Now()
			c.First = p.Window(from, mid)
		}
	}
	to := time.Now()
	c.Last, c.End = p.Window(mid, to), p.State()
	for _, s := range p.Samples(from, to) {
		c.Sample = s
	}
	if err := p.Close(); err != nil {
		c.Open = err.Error()
	}
	return c
}

var fakeDir string // what fakes made

var fakes = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fakenvml")
	if err != nil {
		return "", err
	}
	fakeDir = dir
	for _, set := range []string{"OLD", "NEW"} {
		if err := os.Mkdir(filepath.Join(dir, set), 0o755); err != nil {
			return "", err
		}
		out, err := exec.Command("cc", "-shared", "-fPIC", "-w", "-D"+set, "-o", filepath.Join(dir, set, "libnvidia-ml.so.1"), "testdata/fakenvml.c").CombinedOutput()
		if err != nil {
			return string(out), err
		}
	}
	return dir, nil
})

// child runs this test binary with a driver: "OLD", "NEW" or "" for none.
func child(t *testing.T, driver, mode, spec string, env ...string) (c toldByChild) {
	t.Helper()
	t.Parallel()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler (cc) to build the fake driver with")
	}
	dir, err := fakes()
	require.NoError(t, err, dir)
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "GPUPROBE_CHILD="+spec, "FAKE_NVML="+mode, "LD_LIBRARY_PATH="+filepath.Join(dir, driver))
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, stderr.String())
	require.NoError(t, json.Unmarshal(out, &c), "%s", out)
	return c
}

func TestNewDriver(t *testing.T) {
	c := child(t, "NEW", "", "nvml=0")
	assert.Empty(t, c.Open)
	assert.Equal(t, State{Name: StateNVML}, c.End)
	require.Len(t, c.Devices, 1)
	assert.Equal(t, Device{
		Index: 0, UUID: "GPU-aaaa-1", Name: "NVIDIA Fake", Driver: "580.00.01", PCI: "00000000:41:00.0", Memory: known(16 << 30), BusWidth: known(6016),
		MemoryClock: known(3201e6), SMClock: known(1980e6), PowerLimit: known(700), ComputeMode: "default", GPM: true,
	}, c.Devices[0])
	r := c.Sample.GPUs[0]
	assert.Equal(t, known(1), r.Utilization)
	assert.Equal(t, known(4<<30), r.Memory, "the newer call, without the driver's reserve")
	assert.InDelta(t, 0.786, r.DRAM.N, 1e-9)
	assert.Equal(t, known(0.02), r.SM)
	assert.False(t, r.Tensor.Known, "one metric refused")
	assert.Equal(t, known(20*mib), r.PCIeTX)
	assert.Equal(t, known(101), r.Power, "the averaged field")
	assert.Equal(t, known(66), r.Temperature)
	assert.Equal(t, []Reason{HWThermal}, r.ThrottledBy())
	assert.False(t, r.Throttle[SyncBoost].Known, "one field refused")
	assert.Equal(t, known(0), r.Xids)
	assert.Greater(t, c.Sample.At.Sub(r.Since), 100*time.Millisecond, "activity is of more than 0.1 s")

	u := c.Last
	assert.InDelta(t, 0.786, u.DRAM.N, 1e-9)
	length := u.To.Sub(u.From).Seconds()
	assert.InDelta(t, 100*length, u.Energy.N, u.EnergyError.N)
	assert.InDelta(t, length, u.Throttle[PowerCap].N, 0.02*length)
	assert.Equal(t, []Process{{GPU: 0, PID: 4001, Memory: known(3 << 30)}}, u.Processes)
}

func TestOldDriver(t *testing.T) {
	c := child(t, "OLD", "", "auto", "CUDA_VISIBLE_DEVICES=1")
	assert.Empty(t, c.Open)
	require.Len(t, c.Devices, 1)
	assert.Equal(t, "GPU-bbbb-2", c.Devices[0].UUID, "CUDA_VISIBLE_DEVICES chooses")
	assert.False(t, c.Devices[0].GPM)
	r := c.Sample.GPUs[0]
	assert.Equal(t, known(5<<30), r.Memory)
	assert.Equal(t, known(55), r.Temperature)
	assert.Equal(t, known(100), r.Power)
	assert.Equal(t, []Reason{PowerCap}, r.ThrottledBy(), "the old name")
	assert.False(t, r.DRAM.Known)
	assert.False(t, r.Throttle[PowerCap].Known)
	assert.False(t, r.Xids.Known)
	assert.InDelta(t, c.Last.To.Sub(c.Last.From).Seconds(), c.Last.Throttle[PowerCap].N, 1e-6, "from the reasons at each read")
	assert.Equal(t, []Process{{GPU: 0, PID: 4002, Memory: known(3 << 30)}}, c.Last.Processes)
}

func TestVanishingGPU(t *testing.T) {
	c := child(t, "NEW", "vanish", "nvml")
	assert.Equal(t, State{Name: StateNVML}, c.State)
	require.Len(t, c.Devices, 2)
	assert.True(t, c.First.Energy.Known)
	assert.Equal(t, StateLost, c.End.Name)
	assert.Contains(t, c.End.Reason, "GPU-bbbb-2")
	assert.False(t, c.Last.Energy.Known, "half of the GPUs is not their energy")
	assert.True(t, c.Last.GPUs[0].Energy.Known)
	assert.Contains(t, kinds(c.Last), TroubleLost)
}

func TestUnknownIsNotZero(t *testing.T) {
	for _, mode := range []string{"unsupported", "refused"} {
		t.Run(mode, func(t *testing.T) {
			c := child(t, "NEW", mode, "nvml=GPU-aaaa")
			assert.Equal(t, StateNVML, c.End.Name)
			r := c.Sample.GPUs[0]
			r.Since = time.Time{}
			assert.Equal(t, Reading{Xids: known(0), Xid: known(0)}, r, "nothing but the events is told")
			assert.Equal(t, Figures{Xids: known(0)}, c.Last.Figures)
			assert.Nil(t, c.Last.Processes)
		})
	}
}

func TestXidAndMIG(t *testing.T) {
	t.Run("xid", func(t *testing.T) {
		c := child(t, "NEW", "xid", "nvml=1")
		assert.Equal(t, known(31), c.Sample.GPUs[0].Xid)
		assert.Equal(t, known(1), c.First.Xids)
		assert.Contains(t, kinds(c.First), TroubleErrors)
	})
	t.Run("mig", func(t *testing.T) {
		c := child(t, "NEW", "mig", "nvml=0")
		assert.True(t, c.Devices[0].MIG)
		assert.False(t, c.Last.Utilization.Known)
		assert.Contains(t, kinds(c.Last), TroubleMIG)
	})
}

// TestNoGPU holds auto to a named state and an explicit nvml to one clear error.
func TestNoGPU(t *testing.T) {
	for _, c := range []struct{ name, driver, mode, state, says string }{
		{"missing library", "none", "", StateNoDriver, "install the NVIDIA driver"},
		{"module not loaded", "NEW", "unloaded", StateNoDriver, "kernel module is not loaded"},
		{"versions differ", "NEW", "mismatch", StateBroken, "reboot"},
		{"no permission", "NEW", "forbidden", StateNoPermission, "Insufficient Permissions"},
		{"no device opens", "NEW", "closed", StateNoPermission, "/dev/nvidia"},
		{"driver without GPU", "NEW", "empty", StateNoGPU, "no GPU"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Run("auto", func(t *testing.T) {
				got := child(t, c.driver, c.mode, "auto")
				assert.Empty(t, got.Open)
				assert.Equal(t, c.state, got.End.Name)
				assert.Contains(t, got.End.Reason, c.says)
				assert.Empty(t, got.Devices)
				assert.Equal(t, Figures{}, got.Last.Figures)
				assert.Empty(t, got.Last.Trouble)
			})
			t.Run("nvml", func(t *testing.T) {
				assert.Regexp(t, "^NVML gives no GPU: .*use -gpu auto or none to run without$", child(t, c.driver, c.mode, "nvml").Open)
			})
		})
	}
	t.Run("none visible", func(t *testing.T) {
		c := child(t, "NEW", "", "auto", "CUDA_VISIBLE_DEVICES=-1")
		assert.Equal(t, State{Name: StateNoGPU, Reason: `CUDA_VISIBLE_DEVICES="-1" leaves no GPU`}, c.End)
	})
	t.Run("not there", func(t *testing.T) {
		assert.Contains(t, child(t, "NEW", "", "nvml=7").Open, `GPU "7" is not there: choose from 0 (GPU-aaaa-1), 1 (GPU-bbbb-2)`)
	})
}

// BenchmarkNVMLRead tells what a read costs on our side of a driver: 20 calls
// through cgo, and GPM's, which go-nvml copies 20 kB for.
func BenchmarkNVMLRead(b *testing.B) {
	if _, err := exec.LookPath("cc"); err != nil {
		b.Skip("no C compiler (cc) to build the fake driver with")
	}
	dir, err := fakes()
	require.NoError(b, err, dir)
	src, err := openLibrary(nvml.New(nvml.WithLibraryPath(filepath.Join(dir, "NEW", "libnvidia-ml.so.1"))), func(all []Device) ([]Device, error) { return all[:1], nil })
	require.NoError(b, err)
	s := Sample{GPUs: make([]Reading, 1)}
	b.ReportAllocs()
	for b.Loop() {
		src.(*nvmlSource).cards[0].gpm.taken = time.Unix(1, 0) // read GPM every time
		require.NoError(b, src.read(&s, false))
	}
	require.NoError(b, src.close())
}
