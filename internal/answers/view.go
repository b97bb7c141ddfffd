package answers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
)

// Names of the experiments, as rows have them.
const (
	latency    = "latency"
	throughput = "throughput"
	seqlen     = "seqlen"
)

// A view is a run as the questions look at it.
type view struct {
	run      *results.Run
	rows     []*results.Row // the valid ones
	void     []*results.Row
	info     engine.Info       // zero if the record does not tell
	config   serverConfig      // likewise
	settings map[string]string // the server's flags
	model    *roofline.Model   // nil: unknown
	peaks    *roofline.GPU     // nil: unknown; all GPUs together
}

func newView(run *results.Run) *view {
	v := &view{run: run, settings: map[string]string{}, model: run.Header.Model, peaks: run.Header.Peaks}
	for i := range run.Rows {
		if row := &run.Rows[i]; len(row.Measured.Void) > 0 {
			v.void = append(v.void, row)
		} else {
			v.rows = append(v.rows, row)
		}
	}
	// A record of an unknown server has another value there, of which nothing is read.
	_ = json.Unmarshal(run.Header.Server, &v.info)
	_ = json.Unmarshal(v.info.ServerInfo, &v.config)
	for _, s := range v.info.Settings() {
		name, value, _ := strings.Cut(s, "=")
		v.settings[name] = value
	}
	v.presets()
	return v
}

// presets finds the model and the GPUs by name where the record has not kept
// them. Weights or KV cache in another format than 16 bits are another model.
func (v *view) presets() {
	sixteen := []string{"", "auto", "bfloat16", "float16"}
	if v.model == nil && v.config.unquantised() && slices.Contains(sixteen, v.settings["dtype"]) && slices.Contains(sixteen, v.settings["kv-cache-dtype"]) {
		for _, name := range []string{v.info.Root, v.info.Model} {
			if m, err := roofline.FindModel(name); err == nil {
				v.model = &m
				break
			}
		}
	}
	if d := v.run.Header.Devices; v.peaks == nil && len(d) == 1 {
		known := roofline.Device{Name: d[0].Name, Memory: d[0].Memory, PowerLimit: d[0].PowerLimit}
		if gpu, err := known.GPU(); err == nil {
			v.peaks = &gpu
		}
	}
}

// setting is a flag of the server's that is a number.
func (v *view) setting(name string) (int, bool) {
	n, err := strconv.Atoi(v.settings[name])
	return n, err == nil && n > 0 && n < 1<<20 // products of three stay within an int
}

// A series is one metric over an axis, by repetition.
type series struct {
	x    []float64   // levels, ascending
	reps []int       // repetitions, ascending
	y    [][]float64 // of each repetition, one value a level; NaN: none
}

// series collects what of returns. Values of one repetition at one x are
// averaged. Only positive finite values count: no time or rate is another.
func (v *view) series(of func(*measure.Row) (x, y float64, ok bool)) series {
	sums, counts := map[int]map[float64]float64{}, map[int]map[float64]float64{}
	for _, row := range v.rows {
		x, y, ok := of(&row.Measured)
		if ok && x > 0 && y > 0 && !math.IsInf(y, 0) {
			put(sums, row.Repetition, x, y)
			put(counts, row.Repetition, x, 1)
		}
	}
	for repetition, at := range sums {
		for x := range at {
			at[x] /= counts[repetition][x]
		}
	}
	return table(sums)
}

// put adds y to a cell.
func put(cells map[int]map[float64]float64, repetition int, x, y float64) {
	if cells[repetition] == nil {
		cells[repetition] = map[float64]float64{}
	}
	cells[repetition][x] += y
}

// table makes a series of cells by repetition and x.
func table(cells map[int]map[float64]float64) (s series) {
	levels := map[float64]bool{}
	for _, at := range cells {
		for x := range at {
			levels[x] = true
		}
	}
	s.x = slices.Sorted(maps.Keys(levels))
	s.reps = slices.Sorted(maps.Keys(cells))
	for _, repetition := range s.reps {
		y := make([]float64, len(s.x))
		for i, x := range s.x {
			var ok bool
			if y[i], ok = cells[repetition][x]; !ok {
				y[i] = math.NaN()
			}
		}
		s.y = append(s.y, y)
	}
	return s
}

// each is what f makes of every repetition that has values at all the levels i.
func (s series) each(f func(y []float64) float64, i ...int) Estimate {
	var out []float64
	for _, y := range s.y {
		at := make([]float64, len(i))
		for k, j := range i {
			at[k] = y[j]
		}
		if !slices.ContainsFunc(at, math.IsNaN) {
			out = append(out, f(at))
		}
	}
	return estimate(out)
}

// at is the level i.
func (s series) at(i int) Estimate {
	return s.each(func(y []float64) float64 { return y[0] }, i)
}

// over is level j divided by level i, in the same repetition.
func (s series) over(j, i int) Estimate {
	return s.each(func(y []float64) float64 { return y[0] / y[1] }, j, i)
}

// values are all that level i has.
func (s series) values(i int) []float64 {
	var out []float64
	for _, y := range s.y {
		if !math.IsNaN(y[i]) {
			out = append(out, y[i])
		}
	}
	return out
}

// batches is a metric of the throughput experiment over the batch.
func (v *view) batches(metric string) series {
	return v.series(func(r *measure.Row) (x, y float64, ok bool) {
		y, ok = r.Value(metric)
		return float64(r.Batch), y, ok && r.Experiment == throughput
	})
}

// find is the place of x among the levels, or -1.
func (s series) find(x float64) int { return slices.Index(s.x, x) }

// cell is a metric of one cell.
func (v *view) cell(cell measure.Cell, metric string) Estimate {
	var values []float64
	for _, row := range v.rows {
		if y, ok := row.Measured.Value(metric); ok && row.Measured.Cell == cell {
			values = append(values, y)
		}
	}
	return estimate(values)
}

// has is the first of metrics that a valid row of the experiment has.
func (v *view) has(experiment string, metrics ...string) string {
	for _, m := range metrics {
		for _, row := range v.rows {
			if _, ok := row.Measured.Value(m); ok && row.Measured.Experiment == experiment {
				return m
			}
		}
	}
	return metrics[0]
}

// voids names the void rows of an experiment, as evidence.
func (v *view) voids(experiment string) (lines []string) {
	for _, row := range v.void {
		if row.Measured.Experiment == experiment {
			lines = append(lines, fmt.Sprintf("left out as void: %s, repetition %d: %s", clean(row.Measured.Name), row.Repetition, clean(row.Measured.Void[0])))
		}
	}
	const most = 3
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more void rows", len(lines)-most))
	}
	return lines
}
