//go:build !linux || !cgo || nonvml

package gpuprobe

import "errors"

func newNVML(func([]Device) ([]Device, error)) (source, error) {
	return nil, &stateError{StateNoCgo, errors.New("this binary cannot call NVML: build it on Linux with CGO_ENABLED=1 and without -tags nonvml, or give dcgm=URL")}
}
