package k6

import (
	"errors"
	"time"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

const cellTag = "cell"

// An emitter turns a result into samples of k6's metrics.
type emitter struct {
	ttft, itl, e2e, late, lag *metrics.Metric
	output, prompt            *metrics.Metric
	void, slo                 *metrics.Metric
}

// newEmitter registers the metrics. k6 keeps one of each name.
func newEmitter(r *metrics.Registry) (*emitter, error) {
	e := &emitter{}
	var errs []error
	for _, m := range []struct {
		into **metrics.Metric
		name string
		kind metrics.MetricType
		unit metrics.ValueType
	}{
		{&e.ttft, "vllm_ttft", metrics.Trend, metrics.Time},
		{&e.itl, "vllm_itl", metrics.Trend, metrics.Time},
		{&e.e2e, "vllm_e2e", metrics.Trend, metrics.Time},
		{&e.late, "vllm_late", metrics.Trend, metrics.Time},
		{&e.lag, "vllm_lag", metrics.Trend, metrics.Time},
		{&e.output, "vllm_output_tokens", metrics.Counter, metrics.Default},
		{&e.prompt, "vllm_prompt_tokens", metrics.Counter, metrics.Default},
		{&e.void, "vllm_void", metrics.Rate, metrics.Default},
		{&e.slo, "vllm_slo", metrics.Rate, metrics.Default},
	} {
		var err error
		*m.into, err = r.NewMetric(m.name, m.kind, m.unit)
		errs = append(errs, err)
	}
	return e, errors.Join(errs...)
}

// emit sends the samples of one result. Of a request that failed there are no
// times, since those of the tokens that came would make a slow server look fast.
func (e *emitter) emit(state *lib.State, t *target, label string, res *client.Result) {
	tags := state.Tags.GetCurrentValues().Tags.With("model", engine.Clean(t.info.Model)).With(cellTag, label)
	now := time.Now()
	var all []metrics.Sample
	put := func(m *metrics.Metric, tags *metrics.TagSet, v float64) {
		all = append(all, metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: m, Tags: tags}, Time: now, Value: v})
	}
	ok := res.Outcome == client.OK
	put(e.void, tags.With("outcome", string(res.Outcome)), one(!ok))
	put(e.output, tags, float64(res.OutputTokens))
	put(e.prompt, tags, float64(res.PromptTokens))
	if !t.objective.Zero() {
		put(e.slo, tags, one(t.objective.Met(res)))
	}
	if res.Scheduled && res.Sent > 0 {
		put(e.late, tags, milliseconds(res.Sent-res.Intended))
	}
	if ok {
		put(e.ttft, tags, milliseconds(res.TTFT()))
		put(e.e2e, tags, milliseconds(res.E2E()))
		put(e.lag, tags, milliseconds(longestLag(res)))
		for i, event := range res.Events[1:] {
			gap := milliseconds(event.At-res.Events[i].At) / float64(event.Tokens)
			for range event.Tokens {
				put(e.itl, tags, gap)
			}
		}
	}
	// k6 takes samples until its last VU has returned, that of an iteration it interrupted too.
	state.Samples <- metrics.Samples(all)
}

func longestLag(res *client.Result) (lag time.Duration) {
	for _, e := range res.Events {
		lag = max(lag, e.Lag)
	}
	return lag
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
