package push

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"

	"vllmbench/internal/series"
)

// RemoteWrite sends samples, which are in the order of time, by Prometheus'
// remote write in its version 1, which every receiver takes.
func RemoteWrite(ctx context.Context, t Target, samples []series.Sample) error {
	r, err := t.open("/api/v1/write")
	if err != nil {
		return err
	}
	api, err := remote.NewAPI(r.url.String(), remote.WithAPIPath(""), remote.WithAPIHTTPClient(r.client),
		remote.WithAPIBackoff(remote.BackoffConfig{Min: 100 * time.Millisecond, Max: 2 * time.Second, MaxRetries: retries}))
	if err != nil {
		return r.says(err)
	}
	for part := range slices.Chunk(samples, batch) {
		if _, err := api.Write(ctx, remote.WriteV1MessageType, request(part)); err != nil {
			return r.says(err)
		}
	}
	return nil
}

// request is samples by series, as the protocol wants them.
func request(samples []series.Sample) *prompb.WriteRequest {
	w := &prompb.WriteRequest{}
	place := map[string]int{}
	for _, s := range samples {
		labels := []prompb.Label{{Name: "__name__", Value: s.Prometheus}} // before all others by its name
		for _, l := range s.Labels {
			labels = append(labels, prompb.Label{Name: l.Name, Value: l.Value})
		}
		key := identity(labels)
		i, known := place[key]
		if !known {
			i = len(w.Timeseries)
			place[key] = i
			w.Timeseries = append(w.Timeseries, prompb.TimeSeries{Labels: labels})
		}
		ts := &w.Timeseries[i]
		ts.Samples = append(ts.Samples, prompb.Sample{Value: s.Value.Value, Timestamp: s.At.UnixMilli()})
	}
	return w
}

func identity(labels []prompb.Label) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.Name + "\xff" + l.Value + "\xff") // in no text
	}
	return b.String()
}
