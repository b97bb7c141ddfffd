package scrape

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

func listen(t testing.TB) *Page {
	t.Helper()
	p, err := Listen(Config{Addr: "127.0.0.1:0", Server: "vllmsim", Model: "org/m"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.server.Close() })
	return p
}

// read is the page as a reader of it parses it.
func read(t testing.TB, p *Page) map[string]*dto.MetricFamily {
	t.Helper()
	resp, err := http.Get(p.URL())
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(resp.Body)
	require.NoError(t, err)
	return all
}

// value is the series of a family that has these labels: pairs of name and value.
func value(f *dto.MetricFamily, labels ...string) *dto.Metric {
	for _, m := range f.GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		all := true
		for i := 0; i < len(labels); i += 2 {
			all = all && has[labels[i]] == labels[i+1]
		}
		if all {
			return m
		}
	}
	return nil
}

// answered is a request of n tokens, one an event: the first after 20 ms, the others every 5.
func answered(n int) *client.Result {
	r := &client.Result{Sent: time.Second, Outcome: client.OK, PromptTokens: 7, OutputTokens: n}
	for i := range n {
		r.Events = append(r.Events, client.Event{At: time.Second + 20*time.Millisecond + time.Duration(i)*5*time.Millisecond, Lag: 50 * time.Microsecond, Tokens: 1})
	}
	return r
}

func TestPage(t *testing.T) {
	p := listen(t)
	p.Begin("Latency")
	p.Sent()
	p.Sent()
	p.Sent()
	p.Ended(answered(4))
	p.Ended(&client.Result{Outcome: client.TimeoutStall, PromptTokens: 7, OutputTokens: 1, Events: answered(1).Events})
	got := read(t, p)
	of := []string{"cell", "Latency", "server", "vllmsim", "model_name", "org/m"}
	assert.InDelta(t, 1, value(got["vllmbench_requests_in_flight"], "server", "vllmsim").GetGauge().GetValue(), 0)
	assert.InDelta(t, 1, value(got["vllmbench_cell_active"], of...).GetGauge().GetValue(), 0)
	requests := got["vllmbench_requests_total"]
	assert.InDelta(t, 1, value(requests, append(of, "outcome", "ok")...).GetCounter().GetValue(), 0)
	assert.InDelta(t, 1, value(requests, append(of, "outcome", "timeout_stall")...).GetCounter().GetValue(), 0)
	assert.InDelta(t, 14, value(got["vllmbench_prompt_tokens_total"], of...).GetCounter().GetValue(), 0)
	assert.InDelta(t, 5, value(got["vllmbench_output_tokens_total"], of...).GetCounter().GetValue(), 0)
	for name, want := range map[string]struct {
		n   uint64
		sum float64
	}{
		"ttft": {1, 0.020}, "itl": {3, 0.015}, "e2e": {1, 0.035}, "client_lag": {4, 0.0002},
	} {
		h := value(got["vllmbench_"+name+"_seconds"], of...).GetHistogram()
		assert.Equal(t, want.n, h.GetSampleCount(), name)
		assert.InDelta(t, want.sum, h.GetSampleSum(), 1e-9, name)
	}
}

// A row takes the place of its cell's last one; of a void row nothing is offered but that it is void.
func TestPageRows(t *testing.T) {
	p := listen(t)
	row := func(name string, void ...string) *measure.Row {
		return &measure.Row{Cell: measure.Cell{Name: name}, Window: measure.Window{To: time.Second}, Void: void,
			Values: []measure.Value{{Metric: "p50-ttft-ns", Value: 2e7}, {Metric: "p99-ttft-ns", Value: 3e7}, {Metric: "tok/s", Value: 40}}}
	}
	p.Begin("A")
	p.Row(row("A"))
	p.Row(row("B"))
	got := read(t, p)
	assert.Nil(t, got["vllmbench_cell_active"], "none is measured now")
	assert.InDelta(t, 0.03, value(got["vllmbench_row_ttft_seconds"], "cell", "B", "quantile", "0.99").GetGauge().GetValue(), 1e-12)
	assert.InDelta(t, 40, value(got["vllmbench_row_tokens_per_second"], "cell", "A", "model_name", "org/m").GetGauge().GetValue(), 0)
	assert.InDelta(t, 0, value(got["vllmbench_row_void"], "cell", "A").GetGauge().GetValue(), 0)

	p.Row(row("A", "a request failed"))
	p.Void("C")
	got = read(t, p)
	for name, void := range map[string]float64{"A": 1, "B": 0, "C": 1} {
		assert.InDelta(t, void, value(got["vllmbench_row_void"], "cell", name).GetGauge().GetValue(), 0, name)
	}
	assert.Nil(t, value(got["vllmbench_row_tokens_per_second"], "cell", "A"))
	assert.NotNil(t, value(got["vllmbench_row_tokens_per_second"], "cell", "B"))
}

// The nil page keeps nothing, and a name that is no text breaks none.
func TestPageOfOdds(t *testing.T) {
	var none *Page
	none.Begin("A")
	none.Sent()
	none.Ended(answered(1))
	none.Void("A")
	assert.Empty(t, none.URL())
	require.NoError(t, none.Close(t.Context()))

	p := listen(t)
	p.Ended(answered(1)) // of no cell
	p.Begin("a\xff")
	p.Ended(&client.Result{Outcome: client.OK, PromptTokens: -1})
	p.Void("a\xff")
	assert.NotNil(t, value(read(t, p)["vllmbench_row_void"], "cell", "a?"))

	_, err := Listen(Config{Addr: p.server.Addr + "127.0.0.1:99999"})
	assert.ErrorContains(t, err, "name a free address")
}

func TestConcurrent(t *testing.T) {
	p := listen(t)
	p.Begin("A")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				p.Sent()
				p.Ended(answered(3))
			}
		})
	}
	all.Go(func() { read(t, p) })
	all.Wait()
	got := read(t, p)
	assert.InDelta(t, 400, value(got["vllmbench_requests_total"], "outcome", "ok").GetCounter().GetValue(), 0)
	assert.InDelta(t, 0, value(got["vllmbench_requests_in_flight"], "server", "vllmsim").GetGauge().GetValue(), 0)
	assert.Equal(t, uint64(800), value(got["vllmbench_itl_seconds"], "cell", "A").GetHistogram().GetSampleCount())
}

// A reader that came every 2 s is waited for; one that stayed away is not waited for longer than that; none is none.
func TestAwait(t *testing.T) {
	visit := func(v *visits) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, Path, nil)
		v.counted(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })).ServeHTTP(httptest.NewRecorder(), r)
	}
	waited := func(t *testing.T, before int, after time.Duration, atMost time.Duration) (d time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			v := &visits{}
			for range before {
				visit(v)
				time.Sleep(2 * time.Second)
			}
			if after > 0 {
				go func() {
					time.Sleep(after)
					visit(v)
				}()
			}
			began := time.Now()
			v.await(t.Context(), atMost)
			d = time.Since(began)
			time.Sleep(time.Hour) // for the reader to end
		})
		return d
	}
	assert.Zero(t, waited(t, 0, 0, time.Minute))
	assert.Zero(t, waited(t, 1, 0, time.Minute), "one visit is no habit")
	assert.Equal(t, time.Second, waited(t, 3, time.Second, time.Minute))
	assert.Equal(t, 4*time.Second, waited(t, 3, 0, time.Minute))
	assert.Equal(t, 3*time.Second, waited(t, 3, 0, 3*time.Second))
}

// BenchmarkEnded is what a request of 100 tokens costs its sender.
func BenchmarkEnded(b *testing.B) {
	p := listen(b)
	p.Begin("A")
	r := answered(100)
	for b.Loop() {
		p.Ended(r)
	}
}

// BenchmarkEndedParallel is the same for as many senders as there are processors.
func BenchmarkEndedParallel(b *testing.B) {
	p := listen(b)
	p.Begin("A")
	r := answered(100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p.Ended(r)
		}
	})
}

// BenchmarkScrape is what a read of the page costs the client, with the cells of a whole run.
func BenchmarkScrape(b *testing.B) {
	p := listen(b)
	for i := range 18 {
		name := "cell" + string(rune('a'+i))
		p.Begin(name)
		p.Ended(answered(100))
		row := &measure.Row{Cell: measure.Cell{Name: name}}
		for _, m := range measure.Metrics(measure.DefaultQuantiles) {
			row.Values = append(row.Values, measure.Value{Metric: m.Name, Value: 1})
		}
		p.Row(row)
	}
	for b.Loop() {
		resp, err := http.Get(p.URL())
		if err != nil {
			b.Fatal(err)
		}
		n, _ := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		b.ReportMetric(float64(n), "B/page")
	}
}
