package bench

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/roofline"
)

const (
	gpuPeriod = 500 * time.Millisecond // a read costs 3 to 8 ms of the driver's time
	gpuRest   = time.Second            // in which the idle power is taken
)

// watchGPU opens the GPUs that are to be watched and begins to read them. The
// embedded server has an exporter of its own, of simulated ones.
func (s *session) watchGPU(believed *tls.Config) (err error) {
	spec := flags.gpu
	if spec == "auto" && s.info.Kind == engine.VLLMSim {
		spec = "dcgm=" + s.info.URL + "/dcgm/metrics"
	}
	if s.gpu, err = gpuprobe.OpenTLS(s.ctx, spec, believed); err != nil {
		return fmt.Errorf("-gpu: %w", err)
	}
	if len(s.gpu.Devices()) == 0 {
		return nil
	}
	s.gpu.Start(gpuPeriod)
	s.gpuIdle, s.gpuIdleErr = s.gpu.Idle(s.ctx, gpuRest)
	s.gpuNotServers = s.notServers(spec)
	return nil
}

// notServers says why the GPUs are not those that the server runs on, if
// something speaks against it. An exporter was named for that server.
func (s *session) notServers(spec string) string {
	if strings.HasPrefix(spec, "dcgm") {
		return ""
	}
	if host := hostOf(s.info.URL); !local(host) {
		return fmt.Sprintf("the server is at %s, and these GPUs are this machine's: name its DCGM exporter by -gpu dcgm=URL", host)
	}
	var total float64
	for _, d := range s.gpu.Devices() {
		total += d.Memory.N
	}
	now := time.Now()
	used := s.gpu.Window(now.Add(-gpuRest), now).Memory
	reserved, err := strconv.ParseFloat(s.info.CacheConfig["gpu_memory_utilization"], 64)
	if err == nil && used.Known && used.N < reserved*total/2 {
		return fmt.Sprintf("%.1f GiB are in use on these GPUs, where a server with gpu-memory-utilization=%g takes %.1f: it runs on others, or on none (choose with -gpu nvml=LIST)",
			used.N/(1<<30), reserved, reserved*total/(1<<30))
	}
	return ""
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Hostname()
}

// local says whether host is this machine.
func local(host string) bool {
	ips, err := net.LookupIP(host)
	if err != nil {
		return false
	}
	addrs, _ := net.InterfaceAddrs() // none: then only loopback is known to be ours
	for _, ip := range ips {
		if ip.IsLoopback() {
			return true
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return true
			}
		}
	}
	return false
}

// observe adds what the GPUs did in the run's window.
func (s *session) observe(run *measure.Run) {
	if len(s.gpu.Devices()) == 0 {
		return
	}
	epoch := s.client.Epoch()
	u := s.gpu.Window(epoch.Add(run.Window.From), epoch.Add(run.Window.To))
	run.GPU, run.GPUNotServers = &u, s.gpuNotServers
	if s.shape != nil && s.peaks != nil {
		run.Floor = &measure.Floor{Model: *s.shape, GPU: *s.peaks}
	}
}

// bounds finds what the model and the GPUs allow at best, as far as it is
// known; that it is not is an error only if the model's shape was given.
func (s *session) bounds() (err error) {
	if s.shape, err = s.model(); err != nil || len(s.gpu.Devices()) == 0 {
		return err
	}
	var all roofline.GPU
	for _, d := range s.gpu.Devices() {
		gpu, err := roofline.Device{
			Name: d.Name, Memory: d.Memory.N, BusWidth: d.BusWidth.N, MemoryClock: d.MemoryClock.N, PowerLimit: d.PowerLimit.N,
		}.GPU()
		if err != nil {
			return unlessAsked(err)
		}
		all.Name, all.SMClock, all.MemoryClock = gpu.Name, gpu.SMClock, gpu.MemoryClock
		all.Bandwidth += gpu.Bandwidth
		all.FLOPS += gpu.FLOPS
		all.Memory += gpu.Memory
		all.PowerLimit += gpu.PowerLimit
	}
	s.peaks = &all
	return nil
}

// model is the served model's shape, from -model-config or by its name; nil if neither tells.
func (s *session) model() (*roofline.Model, error) {
	if flags.modelConfig == "" {
		m, err := roofline.FindModel(path.Base(s.info.Model))
		if err != nil {
			return nil, nil
		}
		return &m, nil
	}
	b, err := os.ReadFile(fromRoot(flags.modelConfig))
	if err != nil {
		return nil, fmt.Errorf("-model-config: %w", err)
	}
	m, err := roofline.ParseModel(s.info.Model, b)
	if err != nil {
		return nil, fmt.Errorf("-model-config: %w", err)
	}
	return &m, nil
}

// unlessAsked drops an error about a floor that nobody has asked for.
func unlessAsked(err error) error {
	if flags.modelConfig == "" {
		return nil
	}
	return fmt.Errorf("-model-config: %w", err)
}

// gpus names the GPUs, as in "NVIDIA H200 x2"; "" if there are none.
func (s *session) gpus() string {
	all := s.gpu.Devices()
	if len(all) == 0 {
		return ""
	}
	if len(all) == 1 {
		return all[0].Name
	}
	return fmt.Sprintf("%s x%d", all[0].Name, len(all))
}

// gpuLines tell of the GPUs in the header.
func (s *session) gpuLines() []string {
	var out []string
	if state := s.gpu.State(); len(s.gpu.Devices()) == 0 {
		if state.Name != gpuprobe.StateNone {
			out = append(out, fmt.Sprintf("gpu: none is watched (%s)", state))
		}
		return out
	}
	for _, d := range s.gpu.Devices() {
		line := fmt.Sprintf("gpu %d: %s", d.Index, d.Name)
		if d.UUID != "" && !d.Simulated {
			line += ", card " + d.UUID
		}
		if d.Driver != "" {
			line += ", driver " + d.Driver
		}
		if d.PowerLimit.Known {
			line += fmt.Sprintf(", limit %.0f W", d.PowerLimit.N)
		}
		if d.Simulated {
			line += ", SIMULATED: computed by the embedded server"
		}
		out = append(out, line)
	}
	if s.gpuIdleErr != nil {
		out = append(out, fmt.Sprintf("gpu: net-J/tok is not given: %v", s.gpuIdleErr))
	} else {
		out = append(out, fmt.Sprintf("gpu: %.0f W when idle", s.gpuIdle))
	}
	if s.gpuNotServers != "" {
		out = append(out, "gpu: "+s.gpuNotServers)
	}
	return out
}
