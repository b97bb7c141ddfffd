package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/ab"
)

func TestABConfig(t *testing.T) {
	t.Setenv("VLLM_BASE_URL", "http://env:1")
	t.Setenv("VLLM_API_KEY", "key")
	two := ab.Config{A: ab.Side{Name: "a", URL: "http://h:1"}, B: ab.Side{Name: "b", URL: "http://h:2"}, Dir: "results/ab", Blocks: 4, APIKey: "key"}
	for _, c := range []struct {
		name string
		args string
		want func() ab.Config
	}{
		{"two servers", "-a http://h:1 -b http://h:2", func() ab.Config { return two }},
		{"flags of the benchmarks", "-a http://h:1 -b http://h:2 -- -bench=Latency -- -b", func() ab.Config {
			c := two
			c.Args = []string{"-bench=Latency", "--", "-b"}
			return c
		}},
		{"all", "-a http://h:1 -b http://h:2 -name-a x -name-b y -o out -blocks 2 -record -force -switch-a u -switch-b v -switch-timeout 90s", func() ab.Config {
			c := two
			c.A, c.B = ab.Side{Name: "x", URL: "http://h:1", Switch: "u"}, ab.Side{Name: "y", URL: "http://h:2", Switch: "v"}
			c.Dir, c.Blocks, c.Record, c.Force, c.SwitchTimeout = "out", 2, true, true, 90*time.Second
			return c
		}},
		{"one server", "-url http://h:3 -switch-a u -switch-b v", func() ab.Config {
			c := two
			c.A, c.B = ab.Side{Name: "a", URL: "http://h:3", Switch: "u"}, ab.Side{Name: "b", URL: "http://h:3", Switch: "v"}
			return c
		}},
		{"the environment's server", "-switch-a u -switch-b v", func() ab.Config {
			c := two
			c.A, c.B = ab.Side{Name: "a", URL: "http://env:1", Switch: "u"}, ab.Side{Name: "b", URL: "http://env:1", Switch: "v"}
			return c
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, help, err := abConfig(strings.Fields(c.args))
			require.NoError(t, err)
			assert.Nil(t, help)
			assert.Equal(t, c.want(), got)
		})
	}
}

func TestABRefuses(t *testing.T) {
	t.Setenv("VLLM_BASE_URL", "")
	for _, c := range []struct{ args, says string }{
		{"", "no server is named: give -a and -b, or -url with -switch-a and -switch-b"},
		{"-x", "flag provided but not defined: -x"},
		{"-a http://h:1 -b http://h:2 -bench=.", "flag provided but not defined: -bench"},
		{"-a http://h:1 -b http://h:2 here", `unexpected argument "here": flags of the benchmarks stand behind --`},
		{"-a http://h:1", "one side has no URL: give both -a and -b, or -url alone"},
		{"-a http://h:1 -b http://h:2 -url http://h:3", "-url is beside -a and -b"},
		{"-url http://h:3", "one server has one side only: give -switch-a and -switch-b"},
		{"-url http://h:3 -switch-a u", "only one side has a switch command: give both"},
		{"-a http://h:1 -b http://h:2 -blocks 0", "-blocks is 0: name 1 or more"},
		{"-a h:1 -b http://h:2", `the URL of side a, "h:1", is none: give it as http://host:port`},
		{"-a http://h:1 -b http://h:2 -- -api-key=k", "-api-key is not for the benchmarks of an A/B run: give the key in VLLM_API_KEY"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 1, turns(strings.Fields(c.args), &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "vllmbench ab: "+c.says), stderr.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		})
	}
}

func TestABHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 0, turns([]string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "usage: vllmbench ab -a URL -b URL [flags] [-- flags of the benchmarks]")
	assert.Contains(t, stdout.String(), "-switch-a command")
	assert.Empty(t, stderr.String())
}
