package fit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// rounds is how many requests of each stream a prediction has: enough for the
// streams to find their own rhythm, as they do while a benchmark runs.
const rounds = 4

// Cells returns the run's cells in their order, each with the medians over its
// valid rows.
func Cells(run *results.Run) []Cell {
	var order []measure.Cell
	rows := make(map[string][]*measure.Row)
	for i := range run.Rows {
		row := &run.Rows[i].Measured
		if len(row.Void) > 0 || row.Batch == 0 {
			continue
		}
		if rows[row.Name] == nil {
			order = append(order, row.Cell)
		}
		rows[row.Name] = append(rows[row.Name], row)
	}
	cells := make([]Cell, len(order))
	for i, c := range order {
		cells[i] = Cell{
			Name:     c.Name,
			Load:     vllmsim.Load{Streams: c.Batch, Prompt: c.PromptTokens, Output: c.OutputTokens, Rounds: rounds},
			Measured: Triple{over(rows[c.Name], "p50-ttft-ns") / 1e9, over(rows[c.Name], "p50-itl-ns") / 1e9, over(rows[c.Name], "tok/s")},
		}
	}
	return cells
}

// over returns the median of a metric over rows, or 0 if no row has it.
func over(rows []*measure.Row, metric string) float64 {
	var values []float64
	for _, r := range rows {
		if v, ok := r.Value(metric); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// Config returns the embedded server with the run's settings. Model and GPU
// are presets' names; empty ones are the run's. The error says what it does not tell.
func Config(run *results.Run, model, gpu string) (vllmsim.Config, error) {
	h := run.Header
	if model == "" && h.Model != nil {
		model = h.Model.Name
	}
	if gpu == "" && h.Peaks != nil {
		gpu = h.Peaks.Name
	}
	if model == "" || gpu == "" {
		return vllmsim.Config{}, fmt.Errorf("run %s does not tell the shape of the model and the peaks of the GPU: name them with -model and -gpu", run.Name)
	}
	c := vllmsim.Config{Model: model, GPU: gpu}
	set(&c, run)
	return c, nil
}

// set sets what the run tells of its server's flags.
func set(c *vllmsim.Config, run *results.Run) {
	var info engine.Info
	_ = json.Unmarshal(run.Header.Server, &info) // another server than vLLM tells nothing that is needed
	flags := map[string]func(string){
		"max-num-seqs":           number(&c.MaxNumSeqs),
		"max-num-batched-tokens": number(&c.MaxNumBatchedTokens),
		"max-model-len":          number(&c.MaxModelLen),
		"block-size":             number(&c.BlockSize),
		"num-gpu-blocks":         number(&c.NumGPUBlocksOverride),
		"tensor-parallel-size":   number(&c.TensorParallelSize),
		"enable-chunked-prefill": func(v string) { c.NoChunkedPrefill = v == "false" },
	}
	for _, s := range info.Settings() {
		flag, value, _ := strings.Cut(s, "=")
		if f := flags[flag]; f != nil {
			f(value)
		}
	}
}

func number(p *int) func(string) {
	return func(v string) {
		var n int
		if _, err := fmt.Sscan(v, &n); err == nil {
			*p = n
		}
	}
}
