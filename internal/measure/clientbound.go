package measure

import (
	"fmt"
	"time"
)

// clientBound finds what the client's own slowness changed in spite of the
// kernel's stamps: what the server was given to do, and stamps that were lost.
//
// Beside other streams a request waits for the end of the step under way. Streams that
// end together and are then held back come later in that step: they wait less, so the pause comes
// out of TTFT and E2E while the throughput stays, and prefills fall into other gaps.
func (r *Run) clientBound(s *sight) []fault {
	var out []fault
	pause := s.turnaround.mean()
	ofE2E, limit := share(pause, s.e2e.mean()), r.Limits.of(limitTurnaround)
	if ofE2E > limit {
		out = append(out, fault{ruleTurnaround, fmt.Sprintf("the client held streams back for %.1f %% of their E2E, over %g %%", 100*ofE2E, 100*limit)})
	}
	if ofE2E > limit/2 && len(r.Streams) > 1 {
		out = append(out, fault{ruleShorter, fmt.Sprintf("the client held streams back for %.1f %% of their E2E, over %g %%, and what comes late in a step waits less for its end",
			100*ofE2E, 100*limit/2)})
	}
	if got, limit := share(pause, s.ttft.mean()), r.Limits.of(limitPhase); got > limit && len(r.Streams) > 1 {
		out = append(out, fault{rulePhase, fmt.Sprintf("the client held streams back for %v between requests, which is %.1f %% of the TTFT, over %g %%",
			time.Duration(pause).Round(10*time.Microsecond), 100*got, 100*limit)})
	}
	used := share(float64(r.CPU), float64(r.Window.Length())*float64(r.Procs))
	if limit := r.Limits.of(limitCPU); used > limit {
		out = append(out, fault{ruleCPU, fmt.Sprintf("the client used %.0f %% of its %d processors, over %g %%", 100*used, r.Procs, 100*limit)})
	}
	return append(out, r.blurredTails(s)...)
}

// maxBlur is how far merged stamps may leave a quantile of the gaps open, as a share of it.
const maxBlur = 0.05

// blurredTails finds quantiles of the gaps that merged stamps leave open. An
// event that has the stamp of the one behind it has too long a gap, and that one too short
// a gap. So of m merged events at most m gaps are too long and m too short, and the true
// quantile lies within m places of the one that was seen.
func (r *Run) blurredTails(s *sight) []fault {
	if s.merged == 0 || len(s.itl) == 0 {
		return nil
	}
	places := s.merged * ((s.tokens + s.events - 1) / s.events) // the tokens of an event share its gap
	var out []fault
	for _, q := range r.Quantiles {
		low, at, high := s.itl.around(q, places)
		if float64(high-low) <= maxBlur*float64(at) {
			continue
		}
		name := fmt.Sprintf("p%d-itl-ns", q)
		rule := *ruleTail
		rule.touches = func(metric string) bool { return metric == name }
		out = append(out, fault{&rule, fmt.Sprintf("%d events came under one stamp with the one before, which leaves it between %v and %v",
			s.merged, low.Round(10*time.Microsecond), high.Round(10*time.Microsecond))})
	}
	return out
}
