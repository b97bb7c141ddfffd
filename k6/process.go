// Package k6 adds vllmbench's client to k6: the module k6/x/vllmbench, which
// sends one generation, and the output vllmbench, which records a run.
//
// k6 makes a module for each VU and an output for the process. They share one
// client, so that times are of one clock and a record holds the requests of all VUs.
package k6

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/output"
)

func init() {
	p := newProcess()
	modules.Register("k6/x/vllmbench", p)
	output.RegisterExtension("vllmbench", p.output)
}

// A process is what all VUs of this k6 share.
type process struct {
	mu       sync.Mutex
	server   *Server // as the script names it
	target   *target // found
	err      error   // why it was not
	recorder atomic.Pointer[recorder]
	dropped  sync.Map // scenario to *atomic.Int64: iterations that were due and no VU was free for, so far
}

func newProcess() *process { return &process{} }

// name takes what a script says of the server. Each VU runs the script, so all say the same.
func (p *process) name(s Server) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil && *p.server != s {
		return errors.New("server() was called with something else before: a process measures one server")
	}
	p.server = &s
	return nil
}

// find returns the server, which is discovered once.
func (p *process) find(ctx context.Context) (*target, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target == nil && p.err == nil {
		s := Server{}
		if p.server != nil {
			s = *p.server
		}
		p.target, p.err = s.find(ctx)
	}
	return p.target, p.err
}

// drops is the count of a scenario's dropped iterations.
func (p *process) drops(scenario string) *atomic.Int64 {
	n, _ := p.dropped.LoadOrStore(scenario, new(atomic.Int64))
	return n.(*atomic.Int64)
}
