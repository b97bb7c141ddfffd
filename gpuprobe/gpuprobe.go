// Package gpuprobe tells what GPUs did between two instants.
//
// One goroutine a process reads the GPUs into a ring, once a second; every
// question is asked of the ring afterwards. A read costs milliseconds and takes
// the driver's lock (3 to 8 ms on an H200 with driver 580), so nothing reads per
// request, and Window answers for instants between two reads by interpolating
// counters and by weighting means with their overlap.
//
// What a GPU does not tell is unknown, never 0. A missing driver, a build
// without cgo, missing permission or a lost GPU is a State, not an error: a
// benchmark goes on without GPU figures and says why.
//
// NVML needs Linux and cgo. Binaries that are linked with full RELRO (-z now)
// or run with LD_BIND_NOW=1, and musl systems, cannot load go-nvml: build those
// with -tags nonvml.
package gpuprobe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// errSpec is the end of every error about a spec.
const errSpec = "give auto, none, nvml, nvml=0,1 (indices or UUIDs) or dcgm=URL (dcgm=URL#0,1)"

// Open finds GPUs. Spec is one of
//
//	auto       NVML if there is a driver, without GPUs otherwise; CUDA_VISIBLE_DEVICES chooses
//	none       no GPUs
//	nvml       NVML, all GPUs
//	nvml=LIST  NVML, these GPUs: indices or UUIDs (a UUID's beginning will do), comma between
//	dcgm=URL   a DCGM exporter's page; without a path, /metrics. URL#LIST chooses GPUs
//
// It fails for a spec that is none of these and for an explicit source that is
// not there; auto never fails for want of a GPU: State says what is missing. Ctx bounds Open alone.
func Open(ctx context.Context, spec string) (*Probe, error) { return OpenTLS(ctx, spec, nil) }

// OpenTLS is Open with what an exporter's certificate is held against; nil is this system's authorities.
func OpenTLS(ctx context.Context, spec string, conf *tls.Config) (*Probe, error) {
	kind, rest, given := strings.Cut(spec, "=")
	switch {
	case spec == "auto":
		return openAuto()
	case spec == "none":
		return newProbe(noSource{}, State{Name: StateNone, Reason: "GPU figures are turned off"}), nil
	case kind == "nvml" && (!given || rest != ""):
		return openNVML(rest)
	case kind == "dcgm" && rest != "":
		return openDCGM(ctx, rest, conf)
	}
	return nil, fmt.Errorf("GPU source %q is not known: %s", spec, errSpec)
}

func openAuto() (*Probe, error) {
	visible, set := os.LookupEnv("CUDA_VISIBLE_DEVICES")
	src, err := newNVML(func(all []Device) ([]Device, error) {
		if !set {
			return all, nil
		}
		return visibleDevices(all, visible), nil
	})
	if err != nil {
		return newProbe(noSource{}, stateOf(err)), nil
	}
	if len(src.devices()) == 0 {
		if err := src.close(); err != nil {
			return nil, fmt.Errorf("NVML without a GPU does not close: %w", err)
		}
		reason := "the driver has no GPU"
		if set {
			reason = fmt.Sprintf("CUDA_VISIBLE_DEVICES=%q leaves no GPU", visible)
		}
		return newProbe(noSource{}, State{Name: StateNoGPU, Reason: reason}), nil
	}
	return newProbe(src, State{Name: StateNVML}), nil
}

func openNVML(list string) (*Probe, error) {
	src, err := newNVML(func(all []Device) ([]Device, error) { return chooseDevices(all, list) })
	if err != nil {
		return nil, fmt.Errorf("NVML gives no GPU: %w; use -gpu auto or none to run without", err)
	}
	return newProbe(src, State{Name: StateNVML}), nil
}

func openDCGM(ctx context.Context, address string, conf *tls.Config) (*Probe, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("DCGM exporter's URL %q is none: give it like dcgm=http://host:9400/metrics", clean(address))
	}
	list := u.Fragment
	u.Fragment = ""
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	src, err := newDCGM(ctx, u, list, conf)
	if err != nil {
		return nil, fmt.Errorf("DCGM exporter at %s gives no GPU: %w", u.Redacted(), err)
	}
	return newProbe(src, State{Name: StateDCGM}), nil
}

// stateOf names what keeps NVML from working.
func stateOf(err error) State {
	var s *stateError
	if errors.As(err, &s) {
		return State{Name: s.name, Reason: err.Error()}
	}
	return State{Name: StateBroken, Reason: err.Error()}
}
