package push

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"vllmbench/internal/series"
)

// OTLP sends samples by OpenTelemetry's protocol over HTTP. Headers beside the
// Target's token are taken from OTEL_EXPORTER_OTLP_HEADERS, as its SDK does.
func OTLP(ctx context.Context, t Target, samples []series.Sample) (err error) {
	r, err := t.open("/v1/metrics")
	if err != nil {
		return err
	}
	e, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(r.url.String()), otlpmetrichttp.WithHTTPClient(r.client), otlpmetrichttp.WithTimeout(deadline),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: retries * 2 * time.Second}))
	if err != nil {
		return r.says(err)
	}
	defer func() { err = errors.Join(err, e.Shutdown(context.WithoutCancel(ctx))) }()
	for part := range slices.Chunk(samples, batch) {
		if err := e.Export(ctx, metrics(part)); err != nil {
			return r.says(err)
		}
	}
	return nil
}

// metrics is samples by instrument.
func metrics(samples []series.Sample) *metricdata.ResourceMetrics {
	var all []metricdata.Metrics
	place := map[string]int{}
	for _, s := range samples {
		i, known := place[s.OTel]
		if !known {
			i = len(all)
			place[s.OTel] = i
			all = append(all, metricdata.Metrics{Name: s.OTel, Unit: s.Unit, Data: metricdata.Gauge[float64]{}})
		}
		var labels []attribute.KeyValue
		for _, l := range s.Labels {
			labels = append(labels, attribute.String(l.Name, l.Value))
		}
		points := all[i].Data.(metricdata.Gauge[float64])
		points.DataPoints = append(points.DataPoints, metricdata.DataPoint[float64]{
			Attributes: attribute.NewSet(labels...), Time: s.At, Value: s.Value.Value,
		})
		all[i].Data = points
	}
	return &metricdata.ResourceMetrics{
		Resource:     resource.NewSchemaless(attribute.String("service.name", "vllmbench")),
		ScopeMetrics: []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: "vllmbench/internal/push"}, Metrics: all}},
	}
}
