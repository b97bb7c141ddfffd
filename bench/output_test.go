package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// header prints the configuration. What decides whether two runs may be
// compared at all is a benchfmt line, which benchstat groups by; what one
// changes between runs, and all else, is a comment.
func (s *session) header(w io.Writer) {
	s.config(w)
	i := s.info
	comment := func(format string, args ...any) { fmt.Fprintf(w, "# "+format+"\n", args...) }
	if s.stop != nil {
		comment("no server was named (-url or VLLM_BASE_URL): this is the embedded one, whose times are computed from %s", i.Root)
	}
	comment("url %s, version %s, context %s tokens", i.URL, known(i.Version), known(orNone(i.MaxModelLen)))
	if flags.trust.Insecure {
		comment("%s", results.Insecure)
	}
	if set := i.Settings(); len(set) > 0 {
		comment("server settings: %s", strings.Join(set, " "))
	}
	for _, line := range s.gpuLines() {
		comment("%s", line)
	}
	for _, what := range i.NotOffered {
		comment("not offered: %s", what)
	}
	if !i.Counters {
		comment("ledger: not offered: what the server counted is not known, so no row is held against it (-require-ledger voids them)")
	}
	if flags.requireLedger {
		comment("ledger: required (-require-ledger)")
	}
	comment("stamps: %s; client: a loop of N streams without a barrier, one HTTP/1.1 connection each, %s", s.client.Stamps(), s.runs)
	for _, line := range slices.Concat(s.tongue.says(), flags.models.says()) {
		comment("%s", line)
	}
	if s.closes {
		comment("connections: the server closes each one after its answer, so every request opens its own: that time is in turnaround-%% and in throughput, not in TTFT")
	}
	if not := s.unproven(); len(not) > 0 {
		comment("not proven in any row: %s", strings.Join(not, "; "))
	}
	for _, e := range extras {
		if e.chosen() {
			for _, line := range e.says() {
				comment("%s", line)
			}
		}
	}
	if l := flags.limits.String(); l != "" {
		comment("limits changed: %s", l)
	}
	if s.record != nil {
		comment("recorded in %s", flags.record)
	}
	if s.page != nil {
		comment("metrics: %s", s.page.URL())
	}
}

// config prints the lines that benchstat groups by, and which way each unit is better.
func (s *session) config(w io.Writer) {
	i := s.info
	config := func(key, value string) { fmt.Fprintf(w, "%s: %s\n", key, value) }
	config("server", string(i.Kind))
	config("model", i.Model)
	if gpus := s.gpus(); gpus != "" {
		config("gpu", gpus)
	}
	config("workload", s.workload())
	if !flags.slo.Zero() {
		config("slo", flags.slo.String())
	}
	for _, m := range measure.Metrics(flags.quantiles) {
		if m.OfGPU() && s.gpus() == "" || measure.OfSLO(m.Name) && flags.slo.Zero() || measure.OfArrivals(m.Name) && !open() {
			continue
		}
		if m.Better != "" && slices.ContainsFunc(s.shown, func(t measure.Metric) bool { return t.Name == m.Name }) {
			fmt.Fprintf(w, "Unit %s better=%s\n", m.Name, m.Better)
		}
	}
}

func (s *session) workload() string {
	what := s.tongue.lengths()
	if s.tongue == nil {
		what = "token-id prompts"
	}
	length := "exact output length"
	if !s.extensions {
		length = "output length up to the model"
	}
	return fmt.Sprintf("%s, %s, %s, %s unless named, greedy, every prompt new", s.endpoint, what, length, lengthsSaid())
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func orNone(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// report puts the row on the benchmark line and into the record, or fails the
// benchmark. fault is what voids the row and does not show in the run.
func (s *session) report(b *testing.B, run *measure.Run, fault error) {
	row, err := s.settle(run, fault)
	if err != nil {
		b.Fatal(err)
	}
	if len(row.Void) > 0 {
		s.failed++
		b.Fatalf("void: %s", strings.Join(row.Void, "; "))
	}
	s.rows++
	s.models.add(run)
	s.measured = append(s.measured, run.Cell)
	for _, m := range s.shown {
		if v, ok := row.Value(m.Name); ok {
			b.ReportMetric(v, m.Name)
		}
		if i := slices.IndexFunc(row.LeftOut, func(l measure.LeftOut) bool { return l.Metric == m.Name }); i >= 0 {
			s.omit(row.Name, row.LeftOut[i])
		}
	}
}

// settle makes the row of a run and keeps it. The error is that of the record.
func (s *session) settle(run *measure.Run, fault error) (measure.Row, error) {
	row := run.Row()
	if fault != nil {
		row.Void = append(row.Void, fault.Error())
	}
	if len(row.Void) == 0 {
		row.LeftOut = append(row.LeftOut, s.untold(&row)...)
	}
	s.line.End(strings.Join(row.Void, "; "))
	return row, s.keep(row, slices.Concat(run.Streams...))
}

// keep shows a row on the page and saves it. Without a record nothing more can be measured.
func (s *session) keep(row measure.Row, requests []client.Result) error {
	s.page.Row(&row)
	if s.record == nil {
		return nil
	}
	err := s.saveGPU()
	if err == nil {
		err = s.record.Row(row, requests)
	}
	if err != nil {
		s.gone = err
	}
	return err
}

// untold are the metrics of which row says nothing. Why no GPU is watched
// stands in the header, once.
func (s *session) untold(row *measure.Row) (out []measure.LeftOut) {
	for _, m := range measure.Metrics(flags.quantiles) {
		if m.OfGPU() && s.gpus() == "" || !m.Of(row) {
			continue
		}
		_, ok := row.Value(m.Name)
		if !ok && !slices.ContainsFunc(row.LeftOut, func(l measure.LeftOut) bool { return l.Metric == m.Name }) {
			out = append(out, measure.LeftOut{Metric: m.Name, Rule: "untold", Reason: "neither the server's counters nor the stamps nor the GPU tell it"})
		}
	}
	return out
}

// An omission is metrics left out of one or more rows by one rule.
type omission struct {
	metrics []string
	rule    string
	reason  string // of the first row
	cells   []string
}

func (s *session) omit(cell string, l measure.LeftOut) {
	i := slices.IndexFunc(s.leftOut, func(o omission) bool { return o.metrics[0] == l.Metric && o.rule == l.Rule })
	if i < 0 {
		s.leftOut = append(s.leftOut, omission{[]string{l.Metric}, l.Rule, l.Reason, nil})
		i = len(s.leftOut) - 1
	}
	s.leftOut[i].cells = append(s.leftOut[i].cells, cell)
}

// omissions joins metrics that were left out of the same rows by the same rule.
func (s *session) omissions() []omission {
	var out []omission
	for _, o := range s.leftOut {
		i := slices.IndexFunc(out, func(p omission) bool { return p.rule == o.rule && slices.Equal(p.cells, o.cells) })
		if i < 0 {
			out = append(out, o)
			continue
		}
		out[i].metrics = append(out[i].metrics, o.metrics...)
	}
	return out
}

// footer says what the lines above do not show, and why.
func (s *session) footer(w io.Writer) {
	if s.stop != nil && s.rows > 0 {
		fmt.Fprintf(w, "# server: %s, the embedded one: no model and no GPU were measured\n", engine.VLLMSim)
	}
	if len(s.continuous) > 0 {
		fmt.Fprintf(w, "# events carry several tokens, so usage was asked for on each of them in %s\n", strings.Join(slices.Sorted(maps.Keys(s.continuous)), " "))
	}
	s.tongue.footer(w)
	s.models.footer(w)
	for _, o := range s.omissions() {
		where, first := "every row", "each for its figure, the first"
		if len(o.cells) < s.rows {
			where = strings.Join(slices.Compact(slices.Sorted(slices.Values(o.cells))), " ")
		}
		if len(o.cells) == 1 {
			first = "because"
		}
		fmt.Fprintf(w, "# left out: %s in %s, %s: %s\n", strings.Join(o.metrics, ", "), where, first, o.reason)
	}
}
