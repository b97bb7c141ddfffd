package gpuprobe

import "time"

// idleBelow is the busy share under which an interval was idle: an H200 at rest reads 0.
const idleBelow = 0.01

// A stretch is an interval between two reads and its busy share.
type stretch struct {
	from, to time.Time
	busy     float64
}

// idle returns how long the GPU did nothing in the stretch.
func (s stretch) idle() time.Duration {
	return time.Duration((1 - min(s.busy, 1)) * float64(s.to.Sub(s.from)))
}

// gaps finds the gaps in the window. Their ends reach into the neighbouring
// stretches by the idle share of those.
func (v view) gaps() (gaps []Gap, ok bool) {
	all := v.stretches()
	for i := 0; i < len(all); i++ {
		if all[i].busy >= idleBelow {
			continue
		}
		g := Gap{all[i].from, all[i].to}
		if i > 0 && all[i-1].to.Equal(g.From) {
			g.From = g.From.Add(-all[i-1].idle())
		}
		for i+1 < len(all) && all[i+1].from.Equal(g.To) {
			i++
			if all[i].busy >= idleBelow {
				g.To = g.To.Add(all[i].idle())
				break
			}
			g.To = all[i].to
		}
		g = Gap{later(g.From, v.from), earlier(g.To, v.to)}
		if g.To.After(g.From) {
			gaps = append(gaps, g)
		}
	}
	return gaps, len(all) > 0
}

// stretches returns the intervals of the near reads, by Graphics if the GPU tells it, else by Utilization.
func (v view) stretches() (all []stretch) {
	graphics := false
	for k := range v.near {
		graphics = graphics || v.reading(k).Graphics.Known
	}
	for k := range v.near {
		r := v.reading(k)
		busy, since := r.Utilization, v.sinceSample(k)
		if graphics {
			busy, since = r.Graphics, r.Since
		}
		if busy.Known && !since.IsZero() {
			all = append(all, stretch{since, v.near[k].At, busy.N})
		}
	}
	return all
}

// intersect returns the parts that lie in a gap of a and in a gap of b.
func intersect(a, b []Gap) (both []Gap) {
	for len(a) > 0 && len(b) > 0 {
		g := Gap{later(a[0].From, b[0].From), earlier(a[0].To, b[0].To)}
		if g.To.After(g.From) {
			both = append(both, g)
		}
		if a[0].To.Before(b[0].To) {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}
