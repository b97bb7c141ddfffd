package fleet

import "fmt"

// Capacity is the rate, in requests a second, at which one replica serves the
// workload when there is always more to do: the rate is doubled until half of
// the arrivals are not served in the schedule's time. Rate and Prefixes of the
// workload are those of one replica.
func Capacity(c Config, w Workload) (float64, error) {
	c.Replicas, c.Router.Policy = 1, "round-robin"
	for w.Rate = 0.5; w.Rate < 1e5; w.Rate *= 2 {
		arrivals, err := w.Arrivals()
		if err != nil {
			return 0, err
		}
		o, err := Run(c, arrivals)
		if err != nil {
			return 0, err
		}
		if o.Served < o.Offered/2 {
			return o.Served, nil
		}
	}
	return 0, fmt.Errorf("a replica serves %.0f requests a second and more: the workload asks too little of it", w.Rate)
}
