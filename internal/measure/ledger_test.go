package measure

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// told is the clean run with all that vLLM tells: finish reasons, preemptions and the three reads of its gauges.
func told() *Run {
	r := clean()
	r.Server.Finished = map[string]float64{"length": 10, "stop": 0, "abort": 0, "error": 0, "repetition": 0}
	r.Server.Preemptions = engine.Value{N: 3, Known: true}
	end := r.Streams[0][4].End
	r.Gauges = []Gauge{gauge("before", -time.Second, 0), gauge("tail", end-70*ms, 2), gauge("after", end+time.Second, 0)}
	return r
}

func gauge(name string, at time.Duration, requests float64) Gauge {
	return Gauge{Name: name, From: at, To: at + 5*ms, Requests: engine.Value{N: requests, Known: true}}
}

func TestLedgerOfACleanRun(t *testing.T) {
	row := told().Row()
	assert.Empty(t, row.Void)
	assert.Equal(t, []Account{
		{Name: "requests (length)", Ours: 10, Server: 10, Known: true},
		{Name: "requests (stop)", Known: true},
		{Name: "requests (abort)", Known: true},
		{Name: "requests (error)", Known: true},
		{Name: "prompt tokens", Ours: 200, Server: 200, Known: true},
		{Name: "generated tokens", Ours: 100, Server: 100, Known: true},
		{Name: "prefix cache hits", Known: true},
		{Name: "preemptions", Server: 3, Known: true, Noted: true},
		{Name: "in flight, before", Known: true},
		{Name: "in flight, tail", Ours: 2, Server: 2, Known: true},
		{Name: "in flight, after", Known: true},
	}, row.Ledger)
	for _, a := range row.Ledger {
		assert.True(t, a.Balances(), a.Name)
	}
}

// Each imbalance names its account and the difference, in one sentence.
func TestImbalances(t *testing.T) {
	add := func(v *engine.Value, n float64) { v.N += n }
	const theirs = ": somebody else uses the server"
	for _, tc := range []struct {
		name   string
		change func(*Run)
		want   []string
	}{
		{"a request counted twice", func(r *Run) { r.Server.Finished["length"]++ },
			[]string{"ledger: the server counted 1 more requests (length) than the 10 of ours (another client, or a request repeated)"}},
		{"a request not counted", func(r *Run) { r.Server.Finished["length"]-- },
			[]string{"ledger: the server counted 1 fewer requests (length) than the 10 of ours (a router before several servers, or counters behind?)"}},
		{"a request under another reason", func(r *Run) { r.Server.Finished["length"]--; r.Server.Finished["repetition"]++ }, []string{
			"ledger: the server counted 1 fewer requests (length) than the 10 of ours (a router before several servers, or counters behind?)",
			"ledger: the server counted 1 more requests (repetition) than the 0 of ours (another client, or a request repeated)"}},
		{"a reason that the server does not know", func(r *Run) { r.Streams[0][1].FinishReason = "eos" }, []string{
			"ledger: the server counted 1 more requests (length) than the 9 of ours (another client, or a request repeated)",
			"ledger: the server counted 1 fewer requests (eos) than the 1 of ours (a router before several servers, or counters behind?)"}},
		{"calls of tools", func(r *Run) {
			r.Streams[0][1].FinishReason = "tool_calls"
			r.Server.Finished["length"], r.Server.Finished["stop"] = 9, 1
		}, nil},
		{"other people's requests", func(r *Run) {
			r.Server.Finished["length"] += 12
			r.Server.Finished["stop"]++
			add(&r.Server.PromptTokens, 2600)
			add(&r.Server.GenerationTokens, 1)
		}, []string{"ledger: 13 requests, 2600 prompt tokens and 1 generated token are not ours" + theirs}},
		{"another's request whose client left", func(r *Run) {
			add(&r.Server.PromptTokens, 16)
			add(&r.Server.GenerationTokens, 8)
		}, []string{"ledger: 16 prompt tokens and 8 generated tokens are not ours, of requests whose end the server did not count" + theirs}},
		{"prompt tokens alone", func(r *Run) { add(&r.Server.PromptTokens, 13) },
			[]string{"ledger: the server counted 13 more prompt tokens than the 200 of ours (another client, or a request repeated)"}},
		{"others, and tokens lost", func(r *Run) {
			r.Server.Finished["length"]++
			add(&r.Server.PromptTokens, 9)
			add(&r.Server.GenerationTokens, -1)
		}, []string{
			"ledger: the server counted 1 more requests (length) than the 10 of ours (another client, or a request repeated)",
			"ledger: the server counted 9 more prompt tokens than the 200 of ours (another client, or a request repeated)",
			"ledger: the server counted 1 fewer generated tokens than the 100 of ours (a router before several servers, or counters behind?)"}},
		{"more requests in flight at one moment", func(r *Run) { r.Gauges[1].Requests.N++ }, nil},
		{"more requests in flight throughout", func(r *Run) {
			for i := range r.Gauges {
				r.Gauges[i].Requests.N++
			}
		}, []string{"ledger: 1 request is in flight and not ours, before, during and after the load" + theirs}},
		{"fewer requests in flight", func(r *Run) { r.Gauges[1].Requests.N-- }, nil},
		{"gauges that are not offered", func(r *Run) { r.Gauges[0].Requests, r.Gauges[2].Requests = engine.Value{}, engine.Value{} }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := told()
			tc.change(r)
			assert.Equal(t, tc.want, r.Row().Void)
		})
	}
}

// A request that begins or ends near the read may be in the gauges or not.
func TestInFlightAllowsForTheWay(t *testing.T) {
	r := clean() // a request takes from 0 to 140.1 ms, its tokens come from 50 ms on every 10 ms
	r.Streams = [][]client.Result{{answer(0, 50*ms, 10*ms, 10)}, {answer(0, 50*ms, 10*ms, 10)}}
	for _, tc := range []struct {
		at           time.Duration
		ours, within float64
	}{
		{-100 * ms, 0, 0},
		{-4 * ms, 0, 2},  // they are sent while the read lasts
		{30 * ms, 2, 2},  // they may be on their way to the engine
		{80 * ms, 2, 0},  // sure
		{138 * ms, 0, 2}, // they end while it lasts
		{145 * ms, 0, 2}, // the engine's last step may be the one before
		{160 * ms, 0, 0},
	} {
		r.Gauges = []Gauge{gauge("x", tc.at, 0)}
		assert.Equal(t, []Account{{Name: "in flight, x", Ours: tc.ours, Known: true, Within: tc.within}}, r.inFlight(), "%v", tc.at)
		r.Gauges[0].Idle = true
		assert.Equal(t, []Account{{Name: "in flight, x", Known: true}}, r.inFlight(), "%v, all counted as ended", tc.at)
	}
}

func TestRequiredLedger(t *testing.T) {
	const asked = "ledger: it is required (-require-ledger), but "
	several := engine.Delta{Several: true, Why: "the counters are not of one process"}
	for _, tc := range []struct {
		name   string
		change func(*Run)
		want   []string
	}{
		{"all there", func(*Run) {}, nil},
		{"no gauges", func(r *Run) { r.Gauges[1].Requests = engine.Value{} }, nil},
		{"no external cache", func(r *Run) { r.Server.ExternalHits = engine.Value{} }, nil},
		{"not offered", func(r *Run) { r.Server, r.Gauges = engine.Delta{}, nil }, []string{asked + "the server does not offer its counters (GET /metrics)"}},
		{"a part not offered", func(r *Run) { r.Server.PromptTokens, r.Server.PrefixHits = engine.Value{}, engine.Value{} },
			[]string{asked + "the server does not count prompt tokens, prefix cache hits"}},
		{"several processes", func(r *Run) { r.Server = several }, []string{asked + "the counters are not of one process"}},
		{"failed requests that are allowed", func(r *Run) {
			r.Limits = Limits{map[string]float64{limitErrors: 1}}
			r.Streams[1][2].Outcome = client.HTTP5xx
		}, []string{asked + "what the server counted of failed requests is not known"}},
		{"a restart, which voids anyway", func(r *Run) { r.Server = engine.Delta{Reset: true, Why: "the server was started anew"} },
			[]string{"ledger: the counters cannot be trusted, since the server was started anew"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := told()
			tc.change(r)
			reset := r.Server.Reset
			if row := r.Row(); !reset {
				assert.Empty(t, row.Void, "it is not required")
			}
			r.RequireLedger = true
			assert.Equal(t, tc.want, r.Row().Void)
		})
	}
}

// Failed requests end the load before the counters are read: they alone are the reason.
func TestRequiredLedgerOfAFailedRun(t *testing.T) {
	r := told()
	r.RequireLedger = true
	r.Streams[1][2].Outcome, r.Streams[1][2].Error = client.Truncated, "no [DONE]"
	r.Server, r.Gauges = engine.Delta{}, nil
	void := r.Row().Void
	assert.Len(t, void, 1)
	assert.Contains(t, void[0], "1 failed (truncated)")
}

func TestSeveralProcessesLeaveOutWhatIsTheirs(t *testing.T) {
	r := told()
	r.Server = engine.Delta{Several: true, Why: "the counters are not of one process"}
	r.Gauges = nil
	row := r.Row()
	assert.Empty(t, row.Void)
	left := map[string]string{}
	for _, l := range row.LeftOut {
		if l.Rule == "processes" {
			left[l.Metric] = l.Reason
		}
	}
	assert.Len(t, left, len(serverMetrics)-1, "but for what only prompts made for the cache have")
	assert.Equal(t, "the counters are not of one process: the ledger cannot be trusted", left["egress-ttft-ns"])
	for _, a := range row.Ledger {
		assert.False(t, a.Known, a.Name)
	}
	_, ok := row.Value("tok/s")
	assert.True(t, ok)
}

func TestBalances(t *testing.T) {
	assert.True(t, Account{Ours: 4, Server: 6, Known: true, Within: 2}.Balances())
	assert.True(t, Account{Ours: 6, Server: 4, Known: true, Within: 2}.Balances())
	assert.False(t, Account{Ours: 4, Server: 7, Known: true, Within: 2}.Balances())
	assert.False(t, Account{Ours: 4, Server: 5, Known: true}.Balances())
	assert.False(t, Account{Ours: 4, Server: math.NaN(), Known: true}.Balances())
	assert.True(t, Account{Ours: 4}.Balances())
	assert.True(t, Account{Server: 4, Known: true, Noted: true}.Balances())
}
