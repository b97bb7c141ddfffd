package monitor

import (
	"fmt"
	"strings"
)

// Summary tells what was seen from start to end, one line each: the lowest,
// mean and highest of each quantity, counts, energy and idle gaps. Means are
// weighted, by time or by what was counted, so those of histograms are exact.
func (s *State) Summary() []string {
	title := "watched for " + brief(s.now.Sub(s.started))
	if s.URL != "" {
		title += ": " + s.URL
	}
	if s.Simulated {
		title += ", simulated"
	}
	if s.Insecure {
		title += ", INSECURE: certificates were not verified"
	}
	lines := []string{title}
	if len(s.GPUs) > 0 {
		lines = append(lines, s.gpuTitle())
	}
	head := false
	for q, v := range s.stats {
		q := quantity(q)
		if !v.known() || columns[q].rank == 0 {
			continue
		}
		if !head {
			lines, head = append(lines, fmt.Sprintf("%-20s %9s %9s %9s", "", "min", "mean", "max")), true
		}
		mean := figure(q.shown(v.mean()))
		lines = append(lines, fmt.Sprintf("%-14s %-5s %9s %9s %9s", columns[q].name, columns[q].unit, q.text(v.min), mean, q.text(v.max)))
	}
	return append(lines, s.counts()...)
}

// counts tells what was counted since the start, by the server and the GPU.
func (s *State) counts() []string {
	var lines, parts []string
	for _, v := range []struct {
		known bool
		n     float64
		what  string
	}{
		{s.totals.out.Known, s.totals.out.N, "tokens generated"},
		{s.totals.in.Known, s.totals.in.N, "prompt tokens"},
		{s.totals.requests.Known, s.totals.requests.N, "requests finished"},
		{s.totals.preemptions.Known, s.totals.preemptions.N, "preemptions"},
	} {
		if v.known {
			parts = append(parts, fmt.Sprintf("%.0f %s", v.n, v.what))
		}
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, ", "))
	}
	if e := s.totals.energy; e.Known {
		text := "energy " + figure(e.N) + " J"
		if n := s.totals.out.N; n > 0 {
			text += fmt.Sprintf(", %s J per token generated, idle time included", figure(e.N/n))
		}
		lines = append(lines, text)
	}
	if len(s.GPUs) > 0 {
		n, total, longest := s.gpu.idle()
		text := "no idle gap"
		if n > 0 {
			text = fmt.Sprintf("idle gaps: %d, %s in all, longest %s%s", n, brief(total), brief(longest), s.gpu.idleAtWork())
		}
		lines = append(lines, text)
	}
	if s.server.gone() {
		lines = append(lines, "the server was gone at the end: "+s.server.why)
	}
	return lines
}
