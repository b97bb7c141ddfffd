package merge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// An instance is one record.
type instance struct {
	*results.Run
	name    string
	segment *segment // nil: it names none
	info    engine.Info
	shift   time.Duration // from its clock to the merged one
	died    string        // why its requests are not all here; "": they are
}

// A part is what one instance did in one cell. Times are on the merged clock.
type part struct {
	*instance
	row      *measure.Row // as it measured it alone, on its own clock
	window   measure.Window
	requests []client.Result
}

// instances reads what the records say of themselves, and refuses those that are not of one load.
func (m *merger) instances(runs []*results.Run) (err error) {
	for _, run := range runs {
		i := &instance{Run: run, name: run.Name}
		if run.Header.Merged != nil || run.Text {
			return fmt.Errorf("%s is no record of an instance: name the folders that the instances wrote", run.Name)
		}
		if one := run.Header.Instance; one != nil {
			i.name = one.Name
			if one.Segment != "" {
				if i.segment, err = parseSegment(one.Segment); err != nil {
					return fmt.Errorf("%s: %w", i.name, err)
				}
			}
		}
		// Of a server that does not read as one, nothing is known.
		_ = json.Unmarshal(run.Header.Server, &i.info)
		if !run.Complete {
			i.died = "its record has no good end: it was killed, or broken off"
		}
		m.all = append(m.all, i)
	}
	slices.SortStableFunc(m.all, func(a, b *instance) int {
		return cmp.Or(compareSegments(a.segment, b.segment), cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	for k, i := range m.all[1:] {
		if err := i.differs(m.all[0]); err != nil {
			return err
		}
		for _, other := range m.all[:k+1] {
			if err := i.twin(other); err != nil {
				return err
			}
		}
	}
	return nil
}

// live are the instances whose records are whole.
func (m *merger) live() (live []*instance) {
	for _, i := range m.all {
		if i.died == "" {
			live = append(live, i)
		}
	}
	return live
}

// part reads the requests of row k, and puts them on the merged clock. A row whose requests are not all here is an error.
func (i *instance) part(k int) (*part, error) {
	row := &i.Rows[k].Measured
	p := &part{instance: i, row: row, window: measure.Window{From: row.Window.From + i.shift, To: row.Window.To + i.shift}}
	for r, err := range i.Requests(k) {
		if err == nil {
			err = sound(&r)
		}
		if err != nil {
			return nil, err
		}
		p.requests = append(p.requests, later(r, i.shift))
	}
	return p, nil
}

// maxTokens is more tokens than any event carries.
const maxTokens = 1 << 20

// sound returns what keeps a request from being measured, which no client writes.
func sound(r *client.Result) error {
	if r.Outcome == client.OK && len(r.Events) == 0 {
		return fmt.Errorf("a request that went well has no event")
	}
	for _, e := range r.Events {
		if e.Tokens < 1 || e.Tokens > maxTokens {
			return fmt.Errorf("a request has an event of %d tokens", e.Tokens)
		}
	}
	return nil
}

// later puts a request's times off. A zero time stays, since it was not reached.
func later(r client.Result, by time.Duration) client.Result {
	for _, at := range []*time.Duration{&r.Intended, &r.Sent, &r.FirstByte, &r.End} {
		if *at != 0 {
			*at += by
		}
	}
	r.Events = slices.Clone(r.Events)
	for k := range r.Events {
		r.Events[k].At += by
	}
	return r
}

// streams are the requests by stream, which a record has one behind the other:
// a request that was sent before the one in front of it had ended is of another stream.
func (p *part) streams() (streams [][]client.Result) {
	from := 0
	for k := range p.requests {
		if k > 0 && p.requests[k].Sent < p.requests[k-1].End {
			streams = append(streams, p.requests[from:k])
			from = k
		}
	}
	if from < len(p.requests) {
		streams = append(streams, p.requests[from:])
	}
	return streams
}
