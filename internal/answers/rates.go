package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"vllmbench/internal/measure"
)

// An atRate is what the windows of one steady rate say of the SLO, all repetitions together.
type atRate struct {
	rate    float64
	met, of float64 // requests
	target  float64 // percent of the requests
	slo     string  // "" if none was named
	grows   bool    // there is no steady state
}

// atRates are the constant rates of BenchmarkArrivals, ascending.
func (v *view) atRates() (out []atRate) {
	for _, l := range Loads(v.run, arrivals, Rate, "slo-%") {
		a := atRate{rate: l.Cell.Rate, target: Share(v.run), slo: clean(SLO(v.run))}
		grew, steady := 0, 0
		for _, row := range v.rows {
			m := &row.Measured
			if m.Cell != l.Cell {
				continue
			}
			if unsteady(m) {
				grew++
				continue
			}
			steady++
			if i := slices.IndexFunc(m.Values, func(v measure.Value) bool { return v.Metric == "slo-%" }); i >= 0 {
				n := float64(m.Values[i].N)
				a.met, a.of = a.met+math.Round(m.Values[i].Value/100*n), a.of+n
			}
		}
		a.grows = grew > 0 && grew >= steady
		if grew+steady > 0 {
			out = append(out, a)
		}
	}
	return out
}

// unsteady says whether the row lacks anything for want of a steady state.
func unsteady(m *measure.Row) bool {
	return slices.ContainsFunc(m.LeftOut, func(l measure.LeftOut) bool { return l.Rule == ruleGrowth })
}

func (a atRate) share() float64 { return 100 * a.met / a.of }

// holds says whether as many requests met the SLO as should, and fails whether
// too few did, and not by chance: the upper end of the interval of Clopper and
// Pearson (1934), which takes requests to be independent of each other, is below.
// Without an SLO a steady state is all that can be asked for; with one, a row that
// lacks the share proves neither.
func (a atRate) holds() bool {
	return !a.grows && (a.slo == "" || a.of > 0 && a.share() >= a.target)
}

func (a atRate) fails() bool {
	if a.grows || a.of == 0 || a.met == a.of {
		return a.grows
	}
	return 100*distuv.Beta{Alpha: a.met + 1, Beta: a.of - a.met}.Quantile((1+confidence)/2) < a.target
}

func (a atRate) says() string {
	switch {
	case a.grows:
		return "the queue grows, so that there is no steady state"
	case a.slo == "":
		return "the queue does not grow"
	}
	return fmt.Sprintf("%s %% of the requests meet %s", number(a.share()), a.slo)
}

// ratesText says between which of the measured rates the SLO was lost, or where the queue began to grow.
func (v *view) ratesText() string {
	all, slo := v.atRates(), clean(SLO(v.run))
	if len(all) == 0 {
		return "Only loads whose rate changes were measured: -rates=1,2,4,8 measures steady ones."
	}
	more := " -bench=Capacity finds the rate itself, with its interval."
	if slo == "" {
		more = " Within which latency is not known: " + nameSLO + "."
	}
	fails := slices.IndexFunc(all, atRate.fails)
	below := all
	if fails >= 0 {
		below = all[:fails]
	}
	holds := len(below) - 1
	for holds >= 0 && !below[holds].holds() {
		holds--
	}
	more = unclear(below[holds+1:]) + more
	switch {
	case fails < 0 && holds < 0:
		return fmt.Sprintf("Unknown: at none of the rates up to %v req/s it is clear whether %v %% of the requests meet %s.%s", all[len(all)-1].rate, Share(v.run), slo, more)
	case fails < 0:
		return fmt.Sprintf("%v req/s or more: at this rate, %s, %s.%s", below[holds].rate, place(holds, len(all)), below[holds].says(), more)
	case holds < 0:
		return fmt.Sprintf("Less than %v req/s: there %s.%s", all[fails].rate, all[fails].says(), more)
	}
	other := all[fails].says()
	if !all[fails].grows {
		other = fmt.Sprintf("only %s %% do", number(all[fails].share()))
	}
	return fmt.Sprintf("%v req/s or more, and less than %v: at the first %s, at the other %s.%s", below[holds].rate, all[fails].rate, below[holds].says(), other, more)
}

// unclear names the rates at which requests were too few to tell, and those whose share was left out.
func unclear(all []atRate) (out string) {
	var few, without []string
	for _, a := range all {
		if rate := fmt.Sprintf("%v", a.rate); a.of > 0 {
			few = append(few, rate)
		} else {
			without = append(without, rate)
		}
	}
	if len(few) > 0 {
		out = fmt.Sprintf(" Requests were too few to tell at %s.", strings.Join(few, ", "))
	}
	if len(without) > 0 {
		out += fmt.Sprintf(" The share was left out at %s.", strings.Join(without, ", "))
	}
	return out
}

func place(i, n int) string {
	if i == n-1 {
		return "the highest measured"
	}
	return "of those measured"
}

// sharesEvidence lists how many requests met the SLO at each measured rate.
func (v *view) sharesEvidence() []string {
	if SLO(v.run) == "" {
		return nil
	}
	var parts []string
	for _, a := range v.atRates() {
		says := "unknown"
		if a.of > 0 {
			says = fmt.Sprintf("%s %% of %s", number(a.share()), count(int(a.of)))
		}
		if a.grows {
			says = "no steady state"
		}
		parts = append(parts, fmt.Sprintf("%v req/s: %s", a.rate, says))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"requests that meet it, all repetitions together: " + strings.Join(parts, "; ")}
}
