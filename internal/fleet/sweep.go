package fleet

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// A Sweep is simulations of one server and one workload: each router before
// each number of replicas at each load.
type Sweep struct {
	Config   Config   // Replicas and Router are set for each point
	Workload Workload // Rate is set for each point, Prefixes are those of one replica
	Replicas []int
	Routers  []Router
	Loads    []float64 // arrivals as shares of Capacity times replicas, above 0
}

// A Point is one simulation of a sweep.
type Point struct {
	Replicas int
	Router   Router
	Load     float64
	*Outcome
}

// Run returns the capacity of a replica, in requests a second, and the points by
// replicas, router and load. As many run at a time as there are processors.
func (s Sweep) Run() (capacity float64, points []Point, err error) {
	if capacity, err = Capacity(s.Config, s.Workload); err != nil {
		return 0, nil, fmt.Errorf("the capacity of one replica: %w", err)
	}
	for _, n := range s.Replicas {
		for _, r := range s.Routers {
			for _, load := range s.Loads {
				points = append(points, Point{Replicas: n, Router: r, Load: load})
			}
		}
	}
	errs := make([]error, len(points))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range points {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			errs[i] = s.simulate(&points[i], capacity)
		})
	}
	wg.Wait()
	return capacity, points, errors.Join(errs...)
}

func (s Sweep) simulate(p *Point, capacity float64) error {
	c, w := s.Config, s.Workload
	c.Replicas, c.Router = p.Replicas, p.Router
	c.Router.Seed = w.Seed
	w.Rate = p.Load * capacity * float64(p.Replicas)
	w.Prefixes *= p.Replicas
	arrivals, err := w.Arrivals()
	if err == nil {
		p.Outcome, err = Run(c, arrivals)
	}
	if err != nil {
		return fmt.Errorf("%d replicas behind %s at %.3g of capacity: %w", p.Replicas, p.Router, p.Load, err)
	}
	return nil
}
