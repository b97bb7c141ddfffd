package calibrate

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

// serve runs a sender until the test ends, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	in, alive := io.Pipe()
	said, out := io.Pipe()
	done := make(chan error)
	go func() { done <- Sender(time.Millisecond, in, out) }()
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	t.Cleanup(func() {
		alive.Close()
		assert.NoError(t, <-done)
	})
	return strings.TrimSpace(line)
}

func TestSender(t *testing.T) {
	url := serve(t)
	c, err := client.New(client.Config{BaseURL: url, Model: "calibrate"})
	require.NoError(t, err)
	defer c.Close()
	for i, tokens := range []int{1, 7} {
		res := c.Generate(t.Context(), client.Request{IDs: []int{1, 2, 3}, PromptTokens: 3, OutputTokens: tokens, Exact: true, Extensions: true})
		assert.Equal(t, client.OK, res.Outcome, res.Error)
		assert.Len(t, res.Events, tokens)
		assert.Equal(t, i > 0, res.Reused)
		assert.GreaterOrEqual(t, res.E2E(), time.Duration(tokens-1)*time.Millisecond/2, "tokens come on the beat")
	}
	resp, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"prompt":[1],"max_tokens":0}`))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestSenderNeedsAnInterval(t *testing.T) {
	assert.ErrorContains(t, Sender(0, strings.NewReader(""), io.Discard), "name one above 0")
}

func TestRun(t *testing.T) {
	var tried []int
	levels, err := Run(t.Context(), Config{URL: serve(t), Interval: time.Millisecond, First: 2, Most: 2, Tried: func(l Level) { tried = append(tried, l.Streams) }})
	require.NoError(t, err)
	require.Len(t, levels, 1)
	assert.Equal(t, []int{2}, tried)
	assert.Positive(t, levels[0].Tokens)
	assert.LessOrEqual(t, levels[0].Tokens, 2*2100.0, "two streams, a token a millisecond")

	_, err = Run(t.Context(), Config{URL: "http://127.0.0.1:1", First: 2, Most: 2})
	assert.ErrorContains(t, err, "2 streams: ")
}

func TestSearch(t *testing.T) {
	for _, tc := range []struct {
		name  string
		holds int // the most that do
		want  []int
	}{
		{"it holds half way", 90, []int{32, 64, 80, 96, 128}},
		{"it holds just short of the double", 127, []int{32, 64, 96, 112, 128}},
		{"everything holds", 1000, []int{32, 64, 128, 256}},
		{"nothing holds", 10, []int{32}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			levels, err := search(Config{First: 32, Most: 256}, func(n int) (Level, error) {
				l := Level{Streams: n}
				if n > tc.holds {
					l.Rules = []Given{{Rule: "merged"}}
				}
				return l, nil
			})
			require.NoError(t, err)
			var got []int
			for _, l := range levels {
				got = append(got, l.Streams)
			}
			assert.Equal(t, tc.want, got)
		})
	}
	_, err := search(Config{First: 32, Most: 64}, func(int) (Level, error) { return Level{}, errors.New("no connection") })
	assert.EqualError(t, err, "no connection")
}

func TestWrite(t *testing.T) {
	good := Level{Streams: 256, Tokens: 12800, CPU: 0.16, Lag50: 11 * time.Microsecond, Lag99: 278 * time.Microsecond, Turnaround: 0.0003}
	merged := Level{Streams: 512, Tokens: 25000, CPU: 0.6, Merged: 0.031, Rules: []Given{{"merged", "3.1 % of the events came under one stamp", []string{"p50-itl-ns", "p99-itl-ns", "mean-ttft-ns"}}}}
	late := Level{Streams: 512, Tokens: 20000, SenderLate: true}
	for _, tc := range []struct {
		levels []Level
		want   string
	}{
		{[]Level{good, merged}, "On this machine, which the sender shares, a row holds up to 256 streams with 20ms between tokens, 12\u202f800 tok/s; at 512 streams the rule merged gives way first: 3.1 % of the events came under one stamp."},
		{[]Level{good, late}, "at 512 streams the sender gives way first: its tokens come later than they should, so the client's limit lies beyond."},
		{[]Level{good}, "and more: nothing gave way."},
		{[]Level{merged}, "not even a row of 512 streams with 20ms between tokens, 25\u202f000 tok/s holds: it loses TTFT, ITL (merged)."},
	} {
		var b strings.Builder
		require.NoError(t, Write(&b, tc.levels, 20*time.Millisecond))
		assert.Contains(t, b.String(), tc.want)
	}
	var b strings.Builder
	require.NoError(t, Write(&b, []Level{good, merged}, 20*time.Millisecond))
	assert.Contains(t, b.String(), "256      12\u202f800  16 %          11µs     278µs    0.00 %  0.03 %      holds\n")
}
