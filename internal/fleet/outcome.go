package fleet

import (
	"slices"
	"time"

	"vllmbench/internal/slo"
)

// An Outcome is what the users of a fleet saw. Requests count that came after
// the warm-up; of all of them the end was waited for.
type Outcome struct {
	Requests int     // that count
	Offered  float64 // requests a second
	Served   float64 // requests a second that ended in the window, in which requests came that count

	// Growth is by how many requests a second the number in flight grew in the
	// window. Where it grows, latencies depend on the length of the run.
	Growth float64

	TTFT, ITL, E2E Quantiles // ITL to 10 us, all tokens of all requests
	Goodput        float64   // requests a second that met the SLO, by their arrival
	Met            float64   // share of requests that did, in [0, 1]

	HitRate     float64 // share of prompt tokens found in a prefix cache, in [0, 1]
	Preemptions int
	InFlight    float64 // mean over time and replicas
	Imbalance   float64 // requests in flight of the fullest replica over the mean, mean over time
	Idle        float64 // mean share of replicas without a request
}

// Quantiles are those of a latency; all 0 if there is none.
type Quantiles struct{ P50, P90, P99 time.Duration }

const (
	itlStep    = 10 * time.Microsecond
	sampleStep = time.Second
)

// stats counts while a fleet runs.
type stats struct {
	from, to  time.Duration // the window: from the warm-up's end to the last arrival
	over      bool          // the last has arrived
	slo       slo.SLO
	ttft, e2e []time.Duration
	itl       []int // tokens, by gap in units of itlStep
	next      time.Duration
	samples   []sample

	requests, met, served  int
	prompt, hits, preempts int
}

// A sample is the fleet at an instant.
type sample struct {
	at                 time.Duration
	total, most, empty int // requests in flight, of the fullest replica; replicas without
}

func newStats(c Config) *stats { return &stats{from: c.Warmup, next: c.Warmup, slo: c.SLO} }

func (s *stats) counts(fl *flight) bool { return fl.At >= s.from }

func (s *stats) arrived(fl *flight) {
	if s.counts(fl) {
		s.requests++
		s.to = fl.At
	}
}

// sample looks at the fleet once in a sampleStep, before now.
func (s *stats) sample(now time.Duration, r *router) {
	if now < s.next {
		return
	}
	s.next = now - now%sampleStep + sampleStep
	x := sample{at: now, total: len(r.waiting)}
	for _, load := range r.loads {
		x.total += load
		x.most = max(x.most, load)
		if load == 0 {
			x.empty++
		}
	}
	s.samples = append(s.samples, x)
}

// token counts a token of fl that came at an instant.
func (s *stats) token(fl *flight, at time.Duration, first bool) {
	switch {
	case first:
		fl.first = at
	default:
		gap := at - fl.last
		fl.longest = max(fl.longest, gap)
		if s.counts(fl) {
			i := int((gap + itlStep/2) / itlStep)
			if i >= len(s.itl) {
				s.itl = append(s.itl, make([]int, i+1-len(s.itl))...)
			}
			s.itl[i]++
		}
	}
	fl.last = at
}

// ended counts a request whose last token has come.
func (s *stats) ended(fl *flight) {
	if fl.last >= s.from && !s.over {
		s.served++ // also one that came before the window
	}
	if !s.counts(fl) {
		return
	}
	s.ttft = append(s.ttft, fl.first-fl.At)
	s.e2e = append(s.e2e, fl.last-fl.At)
	s.prompt += len(fl.Request.Prompt)
	s.hits += fl.Request.Cached
	s.preempts += fl.Request.Preemptions
	if s.within(fl) {
		s.met++
	}
}

// within says whether the request met every objective.
func (s *stats) within(fl *flight) bool {
	ok := func(bound, d time.Duration) bool { return bound == 0 || d <= bound }
	tpot := time.Duration(0)
	if n := fl.Request.Generated - 1; n > 0 {
		tpot = (fl.last - fl.first) / time.Duration(n)
	}
	return ok(s.slo.TTFT, fl.first-fl.At) && ok(s.slo.ITL, tpot) && ok(s.slo.MaxITL, fl.longest) && ok(s.slo.E2E, fl.last-fl.At)
}

func (s *stats) outcome(replicas int) *Outcome {
	o := &Outcome{Requests: s.requests, TTFT: quantiles(s.ttft), E2E: quantiles(s.e2e), ITL: counted(s.itl), Preemptions: s.preempts}
	if window := (s.to - s.from).Seconds(); window > 0 {
		o.Offered, o.Served, o.Goodput = float64(s.requests)/window, float64(s.served)/window, float64(s.met)/window
	}
	if s.requests > 0 {
		o.Met, o.HitRate = float64(s.met)/float64(s.requests), float64(s.hits)/float64(s.prompt)
	}
	s.overTime(o, float64(replicas))
	return o
}

// overTime sums up the samples of the window. Growth is the slope of the least
// squares line through the requests in flight.
func (s *stats) overTime(o *Outcome, replicas float64) {
	samples := slices.DeleteFunc(s.samples, func(x sample) bool { return x.at > s.to })
	if len(samples) < 2 {
		return
	}
	n := float64(len(samples))
	var t, y, tt, ty, most, empty float64
	for _, x := range samples {
		at, total := (x.at - s.from).Seconds(), float64(x.total)
		t, y, tt, ty = t+at, y+total, tt+at*at, ty+at*total
		most += float64(x.most)
		empty += float64(x.empty)
	}
	o.Growth = (n*ty - t*y) / (n*tt - t*t)
	o.InFlight = y / n / replicas
	o.Idle = empty / n / replicas
	if y > 0 {
		o.Imbalance = most / (y / replicas)
	}
}

func quantiles(d []time.Duration) Quantiles {
	if len(d) == 0 {
		return Quantiles{}
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[min(int(q*float64(len(d))), len(d)-1)] }
	return Quantiles{at(0.5), at(0.9), at(0.99)}
}

// counted are the quantiles of gaps that were counted by their length.
func counted(counts []int) Quantiles {
	total := 0
	for _, n := range counts {
		total += n
	}
	at := func(q float64) time.Duration {
		rank := int(q * float64(total))
		for i, n := range counts {
			if rank < n {
				return time.Duration(i) * itlStep
			}
			rank -= n
		}
		return 0
	}
	return Quantiles{at(0.5), at(0.9), at(0.99)}
}
