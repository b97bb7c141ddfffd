package monitor

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
)

func TestPlain(t *testing.T) {
	var b bytes.Buffer
	p := &plain{w: &b}
	s := newState()
	for i := range 24 {
		u := usage(float64(i), float64(i+1), 1)
		if i == 21 {
			u = usage(float64(i), float64(i+1), 0)
		}
		tick := Tick{At: at(float64(i + 1)), Server: snapshot(float64(i+1), float64(3*i), 4), GPU: u}
		if i == 10 {
			tick.Server, tick.Err = nil, errors.New("no server answers")
		}
		s.Add(tick)
		require.NoError(t, p.print(s))
	}
	golden(t, "plain.txt", b.String())
}

func TestPlainKeepsToItsWidth(t *testing.T) {
	var b bytes.Buffer
	p := &plain{w: &b, width: 80}
	s := newState()
	for i := range 3 {
		s.Add(Tick{At: at(float64(i)), Server: snapshot(float64(i), float64(i), 4), GPU: usage(float64(i), float64(i+1), 1)})
		require.NoError(t, p.print(s))
	}
	require.NotEmpty(t, b.String())
	for line := range strings.SplitSeq(b.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
}

func TestTimeline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.csv")
	log, err := createTimeline(path, false)
	require.NoError(t, err)
	s := newState()
	s.Add(Tick{At: at(1), Server: snapshot(1, 1, 4), GPU: usage(0, 1, 1)})
	require.NoError(t, log.record(s))
	s.Add(Tick{At: at(2), Server: snapshot(2, 3, 4), GPU: usage(1, 2, 0)})
	require.NoError(t, log.record(s))
	s.Add(Tick{At: at(3), Err: errors.New("gone")})
	require.NoError(t, log.record(s))
	text, err := os.ReadFile(path) // before close: a kill loses no line
	require.NoError(t, err)
	golden(t, "timeline.csv", string(text))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 4)
	require.NoError(t, log.close())

	_, err = createTimeline(path, false)
	assert.EqualError(t, err, path+" exists and is not overwritten: give another file with -log, or -force")
	again, err := createTimeline(path, true)
	require.NoError(t, err)
	require.NoError(t, again.close())
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(text), "\n"), "the header alone")
	assert.ErrorContains(t, again.record(s), "cannot be written on")
}

func TestSummary(t *testing.T) {
	s := underLoad(newState())
	golden(t, "summary.txt", strings.Join(s.Summary(), "\n")+"\n")

	s = NewState(Subject{GPUs: []gpuprobe.Device{{Name: "simulated A100-80GB"}}, Simulated: true}, start)
	assert.Equal(t, []string{"watched for 0.0 s, simulated", "GPU 0: simulated A100-80GB, ", "no idle gap"}, s.Summary(), "before the first round")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestPlainBrokenPipe(t *testing.T) {
	s := NewState(Subject{GPUs: oneGPUDevice}, start)
	s.Add(Tick{At: at(1), GPU: usage(0, 1, 1)})
	assert.EqualError(t, (&plain{w: broken{}}).print(s), "broken pipe")
}
