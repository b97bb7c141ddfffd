package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMonitorRefuses(t *testing.T) {
	t.Setenv("VLLM_BASE_URL", "")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"nothing to watch", []string{"-gpu", "none"}, "nothing to watch, neither a server nor a GPU"},
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"an argument", []string{"-gpu", "none", "here"}, `unexpected argument "here": give flags only, see -h`},
		{"no interval", []string{"-interval", "fast"}, `invalid value "fast" for flag -interval`},
		{"no scheme", []string{"-url", "localhost:8000"}, `the server's URL "localhost:8000" has no scheme`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 1, watch(c.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "vllmbench monitor: "+c.says), stderr.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		})
	}
}

func TestMonitorHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 0, watch([]string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "usage: vllmbench monitor [flags]")
	assert.Contains(t, stdout.String(), "-log FILE")
	assert.Empty(t, stderr.String())
}
