package fleet

import (
	"container/heap"
	"math"
	"time"

	"vllmbench/internal/vllmsim"
)

// epoch is the instant 0 of a simulation on the servers' clocks.
var epoch = time.Unix(0, 0)

// A fleet is a simulation on its way.
type fleet struct {
	arrivals Arrivals
	router   *router
	replicas []replica
	agenda   agenda
	flights  []*flight // by request ID - 1; nil when they have landed
	stats    *stats
}

// A replica is a server and what the router is still to learn of it.
type replica struct {
	*vllmsim.Virtual
	due   time.Duration // when it is looked at next
	place int           // in the agenda
	done  []*flight     // ended at due
}

// absent is the place of a replica that has nothing to do.
const absent = -1

// A flight is a request on its way.
type flight struct {
	Arrival
	replica     int
	first, last time.Duration // tokens came
	longest     time.Duration // between two tokens
}

func newFleet(c Config, arrivals Arrivals) (*fleet, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	f := &fleet{arrivals: arrivals, replicas: make([]replica, c.Replicas), stats: newStats(c)}
	for i := range f.replicas {
		server, err := vllmsim.NewVirtual(c.Server)
		if err != nil {
			return nil, err
		}
		f.replicas[i] = replica{Virtual: server, place: absent}
	}
	f.agenda.replicas = f.replicas
	var err error
	f.router, err = newRouter(c)
	return f, err
}

// run takes what happens in order: at one instant, arrivals before the
// replicas and these by their number.
func (f *fleet) run() {
	next, more := f.arrivals.Next()
	for more || len(f.agenda.order) > 0 {
		due := time.Duration(math.MaxInt64)
		if len(f.agenda.order) > 0 {
			due = f.replicas[f.agenda.order[0]].due
		}
		if more && next.At <= due {
			f.tick(next.At)
			f.arrive(next)
			next, more = f.arrivals.Next()
			f.stats.over = !more
			continue
		}
		f.tick(due)
		f.act(f.agenda.order[0], due)
	}
}

// tick lets the router and the statistics see the state before now.
func (f *fleet) tick(now time.Duration) {
	f.router.refresh(now)
	f.stats.sample(now, f.router)
}

func (f *fleet) arrive(a Arrival) {
	fl := &flight{Arrival: a}
	a.Request.ID = uint64(len(f.flights) + 1)
	f.flights = append(f.flights, fl)
	f.stats.arrived(fl)
	f.route(fl, a.At)
}

// route sends a request to a replica, or lets it wait in the router.
func (f *fleet) route(fl *flight, now time.Duration) {
	i := f.router.pick(&fl.Arrival, now)
	if i == waits {
		f.router.waiting = append(f.router.waiting, fl)
		return
	}
	f.send(fl, i, now)
}

func (f *fleet) send(fl *flight, i int, now time.Duration) {
	fl.replica = i
	f.router.loads[i]++
	r := &f.replicas[i]
	r.Send(fl.Request, epoch.Add(now))
	if r.place == absent {
		at, _ := r.Next()
		r.due = at.Sub(epoch)
		heap.Push(&f.agenda, i)
	}
}

// act lets a replica tell what it has finished, and do its next step.
func (f *fleet) act(i int, now time.Duration) {
	r := &f.replicas[i]
	for _, fl := range r.done {
		f.router.loads[i]--
		f.stats.ended(fl)
	}
	freed := len(r.done)
	r.done = r.done[:0]
	for ; freed > 0 && len(f.router.waiting) > 0; freed-- {
		fl := f.router.waiting[0]
		f.router.waiting = f.router.waiting[1:]
		f.send(fl, i, now)
	}
	next, busy := r.Next()
	if busy && next.Sub(epoch) <= now {
		outputs, at := r.Step()
		r.due = at.Sub(epoch)
		f.land(r, outputs)
		next, busy = r.Next()
	}
	switch {
	case busy:
		if len(r.done) == 0 { // else it tells of these first
			r.due = next.Sub(epoch)
		}
	case len(r.done) == 0:
		heap.Remove(&f.agenda, r.place)
		return
	}
	heap.Fix(&f.agenda, r.place)
}

// land takes the tokens that a replica generated, which came when it is due.
func (f *fleet) land(r *replica, outputs []vllmsim.Output) {
	for _, out := range outputs {
		fl := f.flights[out.Request.ID-1]
		f.stats.token(fl, r.due, out.First)
		if out.Done {
			r.done = append(r.done, fl)
			f.flights[out.Request.ID-1] = nil
		}
	}
}

// An agenda is the heap of the replicas that have something to do.
type agenda struct {
	replicas []replica
	order    []int
}

func (a *agenda) Len() int { return len(a.order) }

func (a *agenda) Less(i, j int) bool {
	x, y := a.order[i], a.order[j]
	if d, e := a.replicas[x].due, a.replicas[y].due; d != e {
		return d < e
	}
	return x < y
}

func (a *agenda) Swap(i, j int) {
	a.order[i], a.order[j] = a.order[j], a.order[i]
	a.replicas[a.order[i]].place, a.replicas[a.order[j]].place = i, j
}

func (a *agenda) Push(i any) {
	a.replicas[i.(int)].place = len(a.order)
	a.order = append(a.order, i.(int))
}

func (a *agenda) Pop() any {
	last := a.order[len(a.order)-1]
	a.order = a.order[:len(a.order)-1]
	a.replicas[last].place = absent
	return last
}
