package slo

import (
	"flag"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

const ms = time.Millisecond

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text string
		want SLO
		back string // String, if it is not text
	}{
		{"", SLO{}, ""},
		{"ttft:500ms,itl:50ms,e2e:10s", SLO{TTFT: 500 * ms, ITL: 50 * ms, E2E: 10 * time.Second}, ""},
		{"ttft:1.5s", SLO{TTFT: 1500 * ms}, ""},
		{"e2e:90m, max-itl:250us", SLO{MaxITL: ms / 4, E2E: 90 * time.Minute}, "max-itl:250µs,e2e:1h30m"},
		{"tpot:60s", SLO{ITL: time.Minute}, "itl:1m"},
		{"e2e:1h", SLO{E2E: time.Hour}, ""},
	} {
		got, err := Parse(tt.text)
		require.NoError(t, err, tt.text)
		assert.Equal(t, tt.want, got, tt.text)
		assert.Equal(t, tt.want == SLO{}, got.Zero(), tt.text)
		if tt.back == "" {
			tt.back = tt.text
		}
		assert.Equal(t, tt.back, got.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"ttft":            `the objective "ttft" is not of the form NAME:DURATION, as in ttft:500ms`,
		"ttft:500":        `the objective "ttft:500" has no duration above 0: name one with its unit, as in ttft:500ms`,
		"itl:0s":          `the objective "itl:0s" has no duration above 0: name one with its unit, as in itl:500ms`,
		"e2e:-1s":         `the objective "e2e:-1s" has no duration above 0: name one with its unit, as in e2e:500ms`,
		"itl:1s,tpot:2s":  `the objective itl is named twice (tpot is another name of itl): name it once`,
		"latency:1s":      `"latency" is no objective: name ttft, itl (or tpot), max-itl or e2e`,
		"ttft:1s,,e2e:1s": `the objective "" is not of the form NAME:DURATION, as in ttft:500ms`,
		"ttft:1s e2e:10s": `the objective "ttft:1s e2e:10s" has no duration above 0: name one with its unit, as in ttft:500ms`,
		"ttft:999999999h": `the objective "ttft:999999999h" has no duration above 0: name one with its unit, as in ttft:500ms`,
		"TTFT:1s":         `"TTFT" is no objective: name ttft, itl (or tpot), max-itl or e2e`,
	} {
		got, err := Parse(text)
		assert.EqualError(t, err, want)
		assert.True(t, got.Zero(), text)
	}
}

func TestFlag(t *testing.T) {
	var s SLO
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Var(&s, "slo", "")
	require.NoError(t, f.Parse([]string{"-slo", "ttft:1s"}))
	assert.ErrorContains(t, f.Parse([]string{"-slo="}), "name objectives, as in")
	assert.ErrorContains(t, f.Parse([]string{"-slo=x:1s"}), `"x" is no objective`)
	assert.Equal(t, SLO{TTFT: time.Second}, s, "a text that is refused changes nothing")
	require.NoError(t, f.Parse([]string{"-slo", "e2e:1s"}))
	assert.Equal(t, SLO{E2E: time.Second}, s, "the last one holds alone")
}

// answer is a request sent at 100 ms with an event of one token at each of those times after it.
func answer(at ...time.Duration) *client.Result {
	r := &client.Result{Intended: 100 * ms, Sent: 100 * ms, Outcome: client.OK}
	for _, a := range at {
		r.Events = append(r.Events, client.Event{At: 100*ms + a, Tokens: 1})
	}
	return r
}

func TestMet(t *testing.T) {
	for _, tt := range []struct {
		name string
		slo  SLO
		r    *client.Result
		want bool
	}{
		{"no objective", SLO{}, answer(time.Hour), true},
		{"ttft at the bound", SLO{TTFT: 50 * ms}, answer(50*ms, 900*ms), true},
		{"ttft beyond it", SLO{TTFT: 50 * ms}, answer(50*ms+1, 51*ms), false},
		{"itl is the mean", SLO{ITL: 20 * ms}, answer(0, 5*ms, 40*ms), true},
		{"itl beyond", SLO{ITL: 20*ms - 1}, answer(0, 5*ms, 40*ms), false},
		{"max-itl is the longest", SLO{MaxITL: 35 * ms}, answer(0, 5*ms, 40*ms), true},
		{"max-itl beyond", SLO{MaxITL: 35*ms - 1}, answer(0, 5*ms, 40*ms), false},
		{"max-itl beyond, not the last", SLO{MaxITL: 35*ms - 1}, answer(0, 35*ms, 36*ms), false},
		{"the first token's wait is no gap", SLO{ITL: ms, MaxITL: ms}, answer(900 * ms), true},
		{"e2e", SLO{E2E: 40 * ms}, answer(0, 40*ms), true},
		{"e2e beyond", SLO{E2E: 40 * ms}, answer(0, 41*ms), false},
		{"one of two", SLO{TTFT: 50 * ms, E2E: 40 * ms}, answer(10*ms, 41*ms), false},
		{"both", SLO{TTFT: 50 * ms, E2E: 41 * ms}, answer(10*ms, 41*ms), true},
	} {
		assert.Equal(t, tt.want, tt.slo.Met(tt.r), tt.name)
	}
}

// A request that did not end well meets nothing, not even no objective.
func TestFailedMeetsNothing(t *testing.T) {
	for _, o := range []client.Outcome{client.Connect, client.HTTP5xx, client.StreamError, client.WrongLength, client.TimeoutStall, client.Cancelled, "dropped"} {
		r := answer(ms)
		r.Outcome = o
		assert.False(t, SLO{}.Met(r), o)
		assert.False(t, SLO{TTFT: time.Hour}.Met(r), o)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "ttft:500ms,itl:50ms,e2e:10s", "tpot:1h", "max-itl:1m0.5s", "e2e:60m0s", "ttft:", ":1s", ",", "ttft:1s,ttft:1s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			assert.True(t, s.Zero())
			return
		}
		assert.Equal(t, text == "", s.Zero())
		back, err := Parse(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, back)
		assert.GreaterOrEqual(t, min(s.TTFT, s.ITL, s.MaxITL, s.E2E), time.Duration(0))
	})
}
