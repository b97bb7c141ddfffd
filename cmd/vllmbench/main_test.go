package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"nothing", nil, 0, "  sim ", ""},
		{"help", []string{"help"}, 0, "usage: vllmbench command [flags]", ""},
		{"unknown", []string{"nope"}, 2, "", "vllmbench: unknown command \"nope\": run `vllmbench help` for the list\n"},
		{"a command's help", []string{"sim", "-h"}, 0, "", "-max-model-len"},
		{"a command's failure", []string{"sim", "--gpu", "tpu"}, 1, "", `vllmsim: unknown GPU "tpu"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, run(tt.args, &stdout, &stderr))
			assert.Contains(t, stdout.String(), tt.stdout)
			assert.Contains(t, stderr.String(), tt.stderr)
			assert.Equal(t, tt.stdout == "", stdout.Len() == 0)
		})
	}
}
