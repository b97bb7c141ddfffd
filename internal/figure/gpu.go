package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/results"
)

const (
	// timePoints is how many points a line over time has at most.
	timePoints = 600
	// mostIdle is how many idle gaps are marked at most: the longest.
	mostIdle = 150
)

// A reading is one quantity of a GPU sample.
type reading func(results.GPUReading) *float64

// gpus are the figures over time of each run that has samples of its GPUs.
func (m *maker) gpus() (figures []Figure) {
	for i, r := range m.runs {
		if len(r.GPU) == 0 {
			continue
		}
		bands, notes := bands(i, r)
		shares := Figure{ID: fmt.Sprintf("gpu-timeline-%d", i+1), Group: "gpu-timeline", Choice: m.names[i], Title: "Is the GPU idle, and where?",
			Lines: filled([]Line{
				{Run: i, Role: Step, Label: "busy", Points: overTime(r.GPU, 100, average, func(g results.GPUReading) *float64 { return g.Busy })},
				{Run: -1, Role: Step, Label: "DRAM", Points: overTime(r.GPU, 100, average, func(g results.GPUReading) *float64 { return g.DRAM })},
			}),
			Y: Axis{Label: "share of the time, of the bandwidth (%)", Scale: Linear, Ticks: []float64{0, 25, 50, 75, 100}, Min: 0, Max: 108}}
		power := Figure{ID: fmt.Sprintf("gpu-power-%d", i+1), Group: "gpu-power", Choice: m.names[i], Title: "What does the GPU draw?",
			Lines: filled([]Line{{Run: i, Role: Step, Label: "power", Points: overTime(r.GPU, 1, total, func(g results.GPUReading) *float64 { return g.Power })}})}
		if limit := powerLimit(r.Header.Devices); limit > 0 && len(power.Lines) > 0 {
			end := power.Lines[0].Points[len(power.Lines[0].Points)-1].X
			power.Lines = append(power.Lines, Line{Run: -1, Role: Floor, Label: "limit", Points: []Point{{X: power.Lines[0].Points[0].X, Y: limit}, {X: end, Y: limit}}})
		}
		if len(power.Lines) > 0 {
			power.Y = linearAxis("power (W)", append(ys(power.Lines), 0))
		}
		for _, f := range []Figure{shares, power} {
			if len(f.Lines) > 0 {
				f.X, f.Bands, f.Notes = timeAxis(f.Lines), bands, notes
				figures = append(figures, f)
			}
		}
	}
	return figures
}

// filled are the lines that have points.
func filled(lines []Line) []Line {
	return slices.DeleteFunc(lines, func(l Line) bool { return len(l.Points) == 0 })
}

func timeAxis(lines []Line) Axis {
	all := xs(lines)
	lo, hi := slices.Min(all), slices.Max(all)
	if hi <= lo {
		hi = lo + 1
	}
	return Axis{Label: "time (s since the run's epoch)", Scale: Linear, Ticks: linearTicks(lo, hi), Min: lo, Max: hi}
}

func seconds(d time.Duration) float64 { return digits(d.Seconds(), 8) }

// overTime is a quantity of all GPUs over time, times scale, as steps: a
// sample tells of the time since the one before. A sample that one of the GPUs
// does not tell is left out: the others alone are another quantity.
func overTime(samples []results.GPUSample, scale float64, all func([]float64) float64, of reading) []Point {
	var points []Point
	for i, s := range samples {
		var told []float64
		for _, g := range s.GPUs {
			if v := of(g); v != nil {
				told = append(told, *v)
			}
		}
		if len(told) == len(s.GPUs) && len(told) > 0 {
			points = append(points, Point{X: seconds(samples[max(i-1, 0)].At), Y: digits(all(told)*scale, 4)})
		}
	}
	if n := len(points); n > 0 {
		points = append(points, Point{X: seconds(samples[len(samples)-1].At), Y: points[n-1].Y})
	}
	return thinned(points, timePoints)
}

func average(v []float64) float64 { return total(v) / float64(len(v)) }

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}

// thinned keeps the least and the most of each of n/2 spans, so that no peak is lost.
func thinned(points []Point, n int) []Point {
	if len(points) <= n {
		return points
	}
	var out []Point
	for k := range n / 2 {
		span := points[k*len(points)/(n/2) : (k+1)*len(points)/(n/2)]
		byY := func(a, b Point) int { return cmp.Compare(a.Y, b.Y) }
		lo, hi := slices.MinFunc(span, byY), slices.MaxFunc(span, byY)
		if lo.X > hi.X {
			lo, hi = hi, lo
		}
		if out = append(out, lo); hi.X > lo.X {
			out = append(out, hi)
		}
	}
	return out
}

func powerLimit(devices []results.Device) (watts float64) {
	for _, d := range devices {
		if d.PowerLimit == 0 {
			return 0
		}
		watts += d.PowerLimit
	}
	return watts
}

// bands are the windows of rows, the GPUs' idle gaps in them, and throttling.
func bands(run int, r *results.Run) (all []Band, notes []string) {
	var idle []Band
	for _, row := range r.Rows {
		w := row.Measured.Window
		b := Band{From: seconds(w.From), To: seconds(w.To), Kind: Window, Label: clean(row.Measured.Name, 80), Run: run}
		if len(row.Measured.Void) > 0 {
			b.Kind = Void
			b.Label = clean(b.Label+": void: "+strings.Join(row.Measured.Void, "; "), 200)
		}
		all = append(all, b)
		for _, g := range row.Measured.Gaps {
			idle = append(idle, Band{From: seconds(g.From), To: seconds(g.To), Kind: Idle, Label: "idle for " + duration(float64(g.Length())), Run: run})
		}
	}
	if more := len(idle) - mostIdle; more > 0 {
		slices.SortStableFunc(idle, func(a, b Band) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
		idle = idle[:mostIdle]
		slices.SortFunc(idle, func(a, b Band) int { return cmp.Compare(a.From, b.From) })
		notes = append(notes, fmt.Sprintf("%s shorter idle gaps are not marked", count(more)))
	}
	return slices.Concat(all, idle, throttled(run, r.GPU)), notes
}

// throttled are the times in which a GPU was found throttled, each since the sample before.
func throttled(run int, samples []results.GPUSample) (all []Band) {
	before := ""
	for i, s := range samples {
		var why []string
		for _, g := range s.GPUs {
			why = append(why, g.Throttled...)
		}
		slices.Sort(why)
		label := clean(strings.Join(slices.Compact(why), ", "), 80)
		switch {
		case label == "":
		case label == before:
			all[len(all)-1].To = seconds(s.At)
		default:
			from := s.At
			if i > 0 {
				from = samples[i-1].At
			}
			all = append(all, Band{From: seconds(from), To: seconds(s.At), Kind: Throttled, Label: label, Run: run})
		}
		before = label
	}
	return all
}
