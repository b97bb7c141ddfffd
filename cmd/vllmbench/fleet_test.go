package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/fleet"
)

func TestFleetFlags(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		stderr string
	}{
		{"help", []string{"-h"}, 0, "two-choices   of two random ones, that with fewer requests in flight"},
		{"an argument", []string{"big"}, 2, `vllmbench fleet: unexpected argument "big": give flags only`},
		{"no policy", []string{"-routers=best"}, 2, `"best" is no routing policy: name one of round-robin`},
		{"no number", []string{"-replicas=1,two"}, 2, `parsing "two"`},
		{"no replica", []string{"-replicas=0", "-for=40s", "-turns=1"}, 1, "0 replicas behind round-robin at 0.5 of capacity"},
		{"no target", []string{"-plan", "-rate=10"}, 1, "vllmbench fleet: a plan needs rate, E2E and output"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, simulateFleet(tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.stderr)
			assert.Empty(t, stdout.String())
		})
	}
}

func TestFleetPlan(t *testing.T) {
	var stdout, stderr bytes.Buffer
	args := []string{"-plan", "-rate=1000", "-e2e=5s", "-answer=100", "-streams-each=896", "-tokens-each=43300"}
	assert.Zero(t, simulateFleet(args, &stdout, &stderr), stderr.String())
	assert.Equal(t, "5000 streams in flight, which take 9.3 instances; 100000 tok/s, which take 3.85: 10 instances\n", stdout.String())
}

func TestFleetDraws(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"-replicas=2", "-loads=0.3,0.6,1.4", "-routers=random,prefix@1s", "-for=40s", "-warmup=15s", "-turns=1", "-output=20", "-o", dir}
	require.Zero(t, simulateFleet(args, &stdout, &stderr), stderr.String())
	assert.Contains(t, stdout.String(), "Qwen2.5-7B on L4, 64 requests at a time")
	assert.Contains(t, stdout.String(), "prefix@1s")
	assert.Contains(t, stdout.String(), "the queue grows")
	grown := fleetFigures(2, []fleet.Point{
		{Replicas: 2, Router: fleet.Router{Policy: "random"}, Load: 0.5, Outcome: &fleet.Outcome{Offered: 10, Growth: 1}},
		{Replicas: 2, Router: fleet.Router{Policy: "prefix"}, Load: 0.5, Outcome: &fleet.Outcome{Offered: 10, Goodput: 9}},
	}, "e2e:1s")
	assert.Len(t, grown[0].Lines, 1)
	assert.Contains(t, grown[0].Notes, "random: the queue grows at every load")
	assert.Equal(t, 4.5, grown[1].Lines[0].Points[0].Y)
	for _, name := range []string{"scale-ttft-2.png", "scale-goodput-2.png"} {
		file, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		picture, err := png.DecodeConfig(file)
		require.NoError(t, err)
		assert.Equal(t, 1000, picture.Width)
		require.NoError(t, file.Close())
	}
}
