package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCalibrateFlags(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		stderr string
	}{
		{"help", []string{"-h"}, 0, "usage: vllmbench calibrate"},
		{"an argument", []string{"fast"}, 2, `vllmbench calibrate: unexpected argument "fast": give flags only`},
		{"no interval", []string{"-interval=0s"}, 2, "-interval is 0s: name 1ms to 1s"},
		{"too few", []string{"-most=8"}, 2, "-most is 8: name 32 streams or more"},
		{"unknown", []string{"-streams=8"}, 2, "flag provided but not defined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, limits(tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.stderr)
			assert.Empty(t, stdout.String())
		})
	}
}
