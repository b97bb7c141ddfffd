package measure

import (
	"math"
	"time"

	"vllmbench/client"
)

// ByModel is the TTFT of the window's requests by the model that they went to,
// where requests name one.
func (r *Run) ByModel() map[string][]time.Duration {
	out := map[string][]time.Duration{}
	for _, rs := range r.Streams {
		for i := range rs {
			if q := &rs[i]; q.Model != "" && q.Outcome == client.OK && belongs(q, r.Window) {
				out[q.Model] = append(out[q.Model], q.TTFT())
			}
		}
	}
	return out
}

// minInterval is the number of samples from which on the least and the
// greatest of them hold the median with 95 %: 1 - 2 * 0.5^6 = 0.969.
const minInterval = 6

// Median is the median of durations, and the 95 % interval that the order of
// the samples gives it, whatever their distribution (normal approximation of
// the binomial, rounded outwards), if the samples are independent: requests that share a
// server's steps are not, and of one load it is too narrow. known is false if there are too few of them for one.
func Median(ds []time.Duration) (low, median, high time.Duration, known bool) {
	s := append(sample(nil), ds...).sort()
	places := int(math.Ceil(1.96 * math.Sqrt(float64(len(s))) / 2))
	low, median, high = s.around(50, places)
	return low, median, high, len(s) >= minInterval
}
