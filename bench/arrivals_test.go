package bench

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vllmbench/internal/load"
	"vllmbench/internal/measure"
)

// ratesWindow is how long a rate is measured if -benchtime does not say: at
// one request a second it holds as many as give a median.
const ratesWindow = 30 * time.Second

func init() {
	f := &flags
	flag.StringVar(&f.rates, "rates", "1,2,4,8", "arrivals a second for BenchmarkArrivals: a cell each; A..B is a ramp from A to B")
	flag.StringVar(&f.schedule, "schedule", "", "arrivals by the `FILE` (from the repository's root) instead: a time in seconds a line, or a rate and a length, as in 4..16 30s")
	flag.Float64Var(&f.burstiness, "burstiness", 1, "`shape` of the gamma distribution of the gaps between arrivals: 1 is Poisson, less is burstier, inf is even")
	flag.IntVar(&f.inFlightMax, "in-flight-max", 1024, "`requests` in flight in an open loop, beyond which an arrival is dropped and the row is void")
	e := &extra{
		name: "Arrivals", flags: []string{"rates", "schedule", "burstiness"}, open: true,
		cells: func() (cells []measure.Cell) {
			for _, a := range flags.arrivals {
				cells = append(cells, a.cell())
			}
			return cells
		},
		says: func() []string {
			return []string{fmt.Sprintf("arrivals: an open loop, %s, seed %d; latency counts from when a request was due; at most %d in flight", burstiness(), flags.seed, flags.inFlightMax)}
		},
	}
	e.check = func() error {
		if !e.chosen() {
			return nil
		}
		return checkArrivals()
	}
	extras = append(extras, e)
}

// BenchmarkArrivals measures a server to which requests come when they come,
// however many it still works on: the open loop, in which queueing shows. One
// operation is the window, or one arrival where -benchtime counts them (200x).
func BenchmarkArrivals(b *testing.B) {
	s := asked(b)
	for _, a := range flags.arrivals {
		c := a.cell()
		if s.skip(c) {
			continue
		}
		_, name, _ := strings.Cut(c.Name, "/")
		b.Run(name, func(b *testing.B) {
			p, err := a.pace(s.seed())
			if err != nil {
				b.Fatal(err)
			}
			s.open(b, c, p, s.next(c))
		})
	}
}

// A pattern is one cell of BenchmarkArrivals.
type pattern struct {
	name string
	load.Arrivals
}

func checkArrivals() (err error) {
	f := &flags
	if f.inFlightMax < 1 {
		return fmt.Errorf("-in-flight-max is %d: name 1 or more requests", f.inFlightMax)
	}
	if f.schedule != "" && given("rates") {
		return fmt.Errorf("-rates and -schedule are both given: name one of them")
	}
	if f.arrivals, err = arrivalPatterns(); err != nil {
		return err
	}
	for _, a := range f.arrivals {
		if _, err := a.pace(f.seed); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

func arrivalPatterns() (all []pattern, err error) {
	if flags.schedule != "" {
		file, err := os.Open(fromRoot(flags.schedule))
		if err != nil {
			return nil, fmt.Errorf("-schedule: %w", err)
		}
		defer file.Close()
		a, err := load.ReadArrivals(file)
		if err != nil {
			return nil, fmt.Errorf("-schedule %s: %w", flags.schedule, err)
		}
		if len(a.Times) == 0 {
			a.Burstiness = flags.burstiness
		}
		base := filepath.Base(flags.schedule)
		return []pattern{{"schedule=" + strings.TrimSuffix(base, filepath.Ext(base)), a}}, nil
	}
	for word := range strings.SplitSeq(flags.rates, ",") {
		phases, err := load.ParseRates(word, ratesWindow)
		if err != nil {
			return nil, fmt.Errorf("-rates: %w", err)
		}
		if p := &phases[0]; p.From+p.To > 0 {
			p.For = windowLength((p.From + p.To) / 2)
		}
		all = append(all, pattern{"rate=" + strings.TrimSpace(word), load.Arrivals{Phases: phases, Burstiness: flags.burstiness}})
	}
	return all, nil
}

// windowLength is -benchtime, or the time in which so many requests come as it counts.
func windowLength(rate float64) time.Duration {
	text := flag.Lookup("test.benchtime").Value.String()
	if n, ok := strings.CutSuffix(text, "x"); ok {
		count, _ := strconv.ParseFloat(n, 64) // go test has checked it
		if count == 1 {
			return ratesWindow
		}
		return time.Duration(math.Ceil(count / rate * 1e9))
	}
	if d, err := time.ParseDuration(text); err == nil && given("test.benchtime") {
		return d
	}
	return ratesWindow
}

// cell is the pattern's cell, whose rate is the mean.
func (a pattern) cell() measure.Cell {
	c := measure.Cell{Experiment: "arrivals", Name: "Arrivals/" + a.name, PromptTokens: flags.prompt, OutputTokens: flags.output}
	var n float64
	var length time.Duration
	for _, p := range a.Phases {
		n += (p.From + p.To) / 2 * p.For.Seconds()
		length += p.For
	}
	if len(a.Times) > 0 {
		n, length = float64(len(a.Times)), cmp.Or(a.Times[len(a.Times)-1], time.Second)
	}
	c.Rate = n / length.Seconds()
	return c
}

func burstiness() string {
	switch b := flags.burstiness; {
	case b == 1:
		return "Poisson"
	case math.IsInf(b, 1):
		return "even gaps"
	default:
		return fmt.Sprintf("gamma gaps of shape %g", b)
	}
}
