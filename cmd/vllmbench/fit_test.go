package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFitUsage(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"help", []string{"-h"}, 0, "usage: vllmbench fit [flags] RUN"},
		{"no run", nil, 2, "name one run"},
		{"no such run", []string{"nowhere"}, 1, "vllmbench fit: cannot read the run"},
		{"nothing of the GPU", []string{"../../results/cpu-baseline.txt"}, 1, "name them with -model and -gpu"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, fitRun(tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.want)
		})
	}
}

func TestFit(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Zero(t, fitRun([]string{"-check", "../../results/week3", "../../results/baseline"}, &stdout, &stderr), stderr.String())
	assert.Contains(t, stdout.String(), "vllmbench sim --model qwen2.5-7b --gpu H200 --bandwidth-share 0.6")
	assert.Contains(t, stdout.String(), "\nfitted on all cells: 5")
	assert.Contains(t, stdout.String(), "\n../../results/week3, predicted by the fit of ../../results/baseline: ")
}
