package measure

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// shared is the clean run with prompts of 100 tokens of which the server had 70 before, in
// blocks of 16: 64 of each are to be found.
func shared() *Run {
	r := clean()
	r.Prefix = &Prefix{Block: 16}
	for _, rs := range r.Streams {
		for i := range rs {
			rs[i].PromptTokens, rs[i].Seen = 100, 70
		}
	}
	r.Server = counted(r.Streams)
	r.Server.PrefixHits.N = 10 * 64
	return r
}

func TestHitsAreThoseExpected(t *testing.T) {
	r := shared()
	row := r.Row()
	assert.Empty(t, row.Void)
	assert.Contains(t, row.Ledger, Account{Name: "prefix cache hits", Ours: 640, Server: 640, Known: true, Within: 160})
	assert.Equal(t, 64.0, value(t, row, "prefix-hit-%"))
	assert.Equal(t, 64.0, value(t, row, "prefix-expected-%"))
	fresh := told().Row()
	_, expects := fresh.Value("prefix-expected-%")
	assert.False(t, expects, "nothing is to be found of new prompts")
}

func TestHitsOtherThanExpected(t *testing.T) {

	for _, tc := range []struct {
		name   string
		change func(*Run)
		want   string
	}{
		{"a block a request less", func(r *Run) { r.Server.PrefixHits.N -= 160 }, ""},
		{"a block a request more", func(r *Run) { r.Server.PrefixHits.N += 160 }, ""},
		{"fewer", func(r *Run) { r.Server.PrefixHits.N -= 161 },
			"prefix cache hits: 479 prompt tokens, where 640 were expected by design, within 160 (a block a request): does something else fill the cache, or is it too small for the load, so that blocks are evicted?"},
		{"more", func(r *Run) { r.Server.PrefixHits.N += 161 },
			"prefix cache hits: 801 prompt tokens, where 640 were expected by design, within 160 (a block a request): does something else share this server?"},
		{"none, with the cache off", func(r *Run) { r.Prefix.Off = true; r.Server.PrefixHits.N = 0 }, ""},
		{"some, with the cache off", func(r *Run) { r.Prefix.Off = true; r.Server.PrefixHits.N = 1 },
			"prefix cache hits: 1 prompt tokens, although every prompt is new (does something else share this server?)"},
		{"some, of prompts that nobody made for it", func(r *Run) { r.Prefix = nil },
			"prefix cache hits: 640 prompt tokens, although every prompt is new (does something else share this server?)"},
		{"fewer than a trace can have", func(r *Run) { r.Prefix.Bound = true; r.Server.PrefixHits.N = 0 }, ""},
		{"more than a trace can have", func(r *Run) { r.Prefix.Bound = true; r.Server.PrefixHits.N += 161 },
			"prefix cache hits: 801 prompt tokens, where 640 were expected by design, within 160 (a block a request): does something else share this server?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := shared()
			tc.change(r)
			row := r.Row()
			if tc.want == "" {
				assert.Empty(t, row.Void)
			} else {
				assert.Equal(t, []string{tc.want}, row.Void)
			}
		})
	}
}

// The last token of a prompt is always computed.
func TestWholePromptIsNeverFound(t *testing.T) {
	p := &Prefix{Block: 16}
	for _, tc := range []struct{ prompt, seen, want int }{
		{100, 70, 64}, {100, 64, 64}, {100, 63, 48}, {100, 15, 0}, {100, 0, 0},
		{64, 64, 48}, {65, 64, 64}, {64, 1000, 48}, {0, 64, 0}, {1, 1, 0},
	} {
		assert.Equal(t, tc.want, p.of(&client.Result{PromptTokens: tc.prompt, Seen: tc.seen}), "%+v", tc)
	}
	assert.Zero(t, (&Prefix{}).of(&client.Result{PromptTokens: 100, Seen: 70}), "the block size is not known")
}

// A server without counters may tell cached tokens with each request.
func TestHitsByUsage(t *testing.T) {
	r := shared()
	r.Server = engine.Delta{}
	row := r.Row()
	assert.Empty(t, row.Void)
	var left []string
	for _, l := range row.LeftOut {
		if l.Rule == "hits" {
			left = append(left, l.Metric)
		}
	}
	assert.Equal(t, []string{"prefix-hit-%", "prefix-expected-%"}, left)

	for _, rs := range r.Streams {
		for i := range rs {
			rs[i].CachedTokens = 64
		}
	}
	row = r.Row()
	assert.Empty(t, row.Void)
	assert.Equal(t, 64.0, value(t, row, "prefix-hit-%"))
	assert.Equal(t, 64.0, value(t, row, "prefix-expected-%"))

	r.Streams[0][0].CachedTokens = 1000
	assert.Len(t, r.Row().Void, 1)
}

func TestHitsOfSeveralProcesses(t *testing.T) {
	r := shared()
	r.Server = engine.Delta{Several: true, Why: "two answer"}
	row := r.Row()
	assert.True(t, slices.ContainsFunc(row.LeftOut, func(l LeftOut) bool { return l.Metric == "prefix-expected-%" && l.Rule == "processes" }))
	r.Prefix = nil
	row = r.Row()
	assert.False(t, slices.ContainsFunc(row.LeftOut, func(l LeftOut) bool { return l.Metric == "prefix-expected-%" }))
}

// A stream that waits by design is not one that the client held back.
func TestThinkTimeIsNoTurnaround(t *testing.T) {
	r := clean()
	for s := range r.Streams {
		at := time.Duration(0)
		for i := range r.Streams[s] {
			r.Streams[s][i] = answer(at, 50*ms, 10*ms, 10)
			at = r.Streams[s][i].End + time.Second + 100*time.Microsecond
		}
	}
	r.Window = Window{r.Streams[0][0].Events[9].At, r.Streams[0][3].Events[9].At}
	row := r.Row()
	_, shown := row.Value("tok/s")
	assert.False(t, shown)
	r.Think = time.Second
	row = r.Row()
	value(t, row, "tok/s")
	assert.InDelta(t, 100*0.1/140, value(t, row, "turnaround-%"), 1e-6)
}
