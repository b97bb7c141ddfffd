package merge

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// TestRefuses: what is not of one load is refused with one sentence.
func TestRefuses(t *testing.T) {
	server := func(change func(*engine.Info)) func(*world) {
		return func(w *world) {
			i := engine.Info{Kind: engine.VLLM, URL: "http://here:8000", Model: "tiny", Version: "0.32.0", Counters: true}
			change(&i)
			w.sent[1].header.Server, _ = json.Marshal(i)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*world)
		says   string
	}{
		{"flag", func(w *world) { w.sent[1].header.Flags = map[string]string{"endpoint": "chat"} }, "instance-2 has flag endpoint chat, and instance-1 has completions: merge instances of one load"},
		{"flag of one", func(w *world) {
			w.sent[1].header.Flags = map[string]string{"endpoint": "completions", "limits": "cpu=1"}
		}, "instance-2 has flag limits cpu=1, and instance-1 has unknown: merge instances of one load"},
		{"URL", server(func(i *engine.Info) { i.URL = "http://there:8000" }), "instance-2 has the server http://there:8000, and instance-1 has http://here:8000: merge instances of one load"},
		{"model", server(func(i *engine.Info) { i.Model = "large" }), "instance-2 has the model large, and instance-1 has tiny: merge instances of one load"},
		{"version", server(func(i *engine.Info) { i.Version = "" }), "instance-2 has a server of version unknown, and instance-1 has 0.32.0: merge instances of one load"},
		{"settings", server(func(i *engine.Info) { i.CacheConfig = map[string]string{"block_size": "32"} }), "instance-2 has server settings block-size=32, and instance-1 has unknown: merge instances of one load"},
		{"nonce", func(w *world) { w.sent[1].header.Nonce = w.sent[0].header.Nonce }, "instance-1 and instance-2 are one record (they have one nonce): name each once"},
		{"segment twice", func(w *world) { w.sent[1].header.Instance.Segment = "1/4:1" }, "instance-1 (0:1/2) and instance-2 (1/4:1) share a part of the load: merge instances of one load"},
		{"segment of one", func(w *world) { w.sent[1].header.Instance.Segment = "" }, "one of instance-2 and instance-1 has a segment of the load and the other has all of it: merge instances of one load"},
		{"no segment", func(w *world) { w.sent[1].header.Instance.Segment = "1:1/2" }, `instance-2: its segment "1:1/2" is no part of a load: it should be as 1/4:1/2`},
		{"objectives", func(w *world) {
			w.sent[1].change = func(row *measure.Row) { row.SLO = "ttft:1s" }
		}, `instance-1 and instance-2 measured Arrivals/rate=100 by different objectives ("ttft:50ms" and "ttft:1s"): merge instances of one load`},
		{"bad objectives", func(w *world) {
			for _, s := range w.sent {
				s.change = func(row *measure.Row) { row.SLO = "fast" }
			}
		}, `instance-1: the objectives of Arrivals/rate=100: the objective "fast" is not of the form NAME:DURATION, as in ttft:500ms`},
		{"bad limits", func(w *world) {
			for _, s := range w.sent {
				s.header.Flags["limits"] = "luck=1"
			}
		}, `instance-1: its flag limits: there is no limit "luck": -explain lists them`},
		{"experiment", func(w *world) { w.sent[0].cell.Experiment = "latency" }, `Arrivals/rate=100 is of the experiment "latency", which several processes cannot share: merge throughput and arrivals`},
		{"shared prompts", func(w *world) { w.sent[0].requests[3].Seen = 16 }, "the prompts of Arrivals/rate=100 were made for the prefix cache, and a record does not keep how: merge loads of new prompts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(2)
			c.change(w)
			_, err := Records(w.record(t), Config{})
			assert.EqualError(t, err, c.says)
		})
	}
	_, err := Records(nil, Config{})
	assert.EqualError(t, err, "there is no record: name the folders of the instances")
}

// TestOneName: two processes that wrote under one name in two folders.
func TestOneName(t *testing.T) {
	runs := open(2).record(t)
	runs[1].Header.Instance.Name = "instance-1"
	_, err := Records(runs, Config{})
	assert.EqualError(t, err, "two records are of instance-1: name those of one load, each instance once")
}

// TestUnsound: a file that no client wrote does no harm.
func TestUnsound(t *testing.T) {
	for name, change := range map[string]func(*client.Result){
		"a request that went well has no event":          func(r *client.Result) { r.Events = nil },
		"a request has an event of 0 tokens":             func(r *client.Result) { r.Events[2].Tokens = 0 },
		"a request has an event of 1099511627776 tokens": func(r *client.Result) { r.Events[2].Tokens = 1 << 40 },
	} {
		r := request(0, true, 1)
		change(&r)
		require.EqualError(t, sound(&r), name)
	}
	good := request(0, true, 1)
	require.NoError(t, sound(&good))
}

func TestSegments(t *testing.T) {
	for text, want := range map[string]string{
		"0:1": "0:1", "0:1/3": "0:1/3", "0.25:0.5": "1/4:1/2", "2/4:1": "1/2:1",
		"": "", "1/2": "", "1/2:1/2": "", "1/2:3/2": "", "1/0:1": "", "-1/2:1": "", "0:1e-999999999": "", "a:b": "",
	} {
		s, err := parseSegment(text)
		if want == "" {
			assert.EqualError(t, err, "its segment \""+text+"\" is no part of a load: it should be as 1/4:1/2")
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, s.String())
	}
}
