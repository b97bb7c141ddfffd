package trace

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	maxRequests = 10_000_000           // as many as an open loop sends
	maxLength   = 366 * 24 * time.Hour // as long as one lasts
	spare       = 1 << 16              // requests beyond twice the limit, after which memory is freed
)

// A cutter takes from all requests of a file those that are replayed.
type cutter struct {
	options Options
	began   bool
	first   time.Duration // of the file's first line
	kept    []Request     // also those that will be left out: whether they count is known when the end is
	fit     int           // of these, those that will not
}

// add takes the next line.
func (c *cutter) add(q Request) error {
	if !c.began {
		c.began, c.first = true, q.At
	}
	q.At -= c.first
	if c.options.From > 0 && q.At < c.options.From {
		return nil
	}
	c.kept = append(c.kept, q)
	if c.count(q, &LeftOut{}) {
		c.fit++
	}
	switch limit := c.options.Limit; {
	case limit == 0 && len(c.kept) > maxRequests:
		return fmt.Errorf("it has more than %d requests, which is the most: name a limit", maxRequests)
	case limit > 0 && c.fit > 2*limit+spare:
		c.shorten()
	}
	return nil
}

// count says whether q is replayed, or counts why not.
func (c *cutter) count(q Request, l *LeftOut) bool {
	switch {
	case q.Output == 0:
		l.NoOutput++
	case q.Prompt == 0:
		l.NoPrompt++
	case c.options.MaxTokens > 0 && q.Prompt+q.Output > c.options.MaxTokens:
		l.Long++
	default:
		return true
	}
	return false
}

// shorten sorts what there is, and ends it with the last request that the limit allows.
func (c *cutter) shorten() {
	slices.SortStableFunc(c.kept, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	if c.options.Limit == 0 {
		return
	}
	fit := 0
	for i, q := range c.kept {
		if !c.count(q, &LeftOut{}) {
			continue
		}
		if fit++; fit == c.options.Limit {
			clear(c.kept[i+1:]) // frees their blocks
			c.kept, c.fit = c.kept[:i+1], fit
			return
		}
	}
}

// trace is what the file's end leaves.
func (c *cutter) trace(format Format, block int) (*Trace, error) {
	c.shorten()
	t := &Trace{Format: format}
	for _, q := range c.kept {
		if !c.count(q, &t.LeftOut) {
			continue
		}
		if q.Blocks != nil {
			t.Block = block
		}
		t.Requests = append(t.Requests, q)
	}
	if len(t.Requests) == 0 {
		return nil, c.empty(t.LeftOut)
	}
	return t, t.scale(c.options.TimeScale)
}

// empty says why no request is left.
func (c *cutter) empty(l LeftOut) error {
	switch {
	case !c.began:
		return errors.New("the trace is empty")
	case l == LeftOut{}:
		return fmt.Errorf("no request comes %v or later after the first: name an earlier start", c.options.From)
	}
	return fmt.Errorf("no request can be sent: %s", l)
}

// scale lets time begin at the first request, and stretches it.
func (t *Trace) scale(by float64) error {
	if by == 0 {
		by = 1
	}
	first := t.Requests[0].At
	for i := range t.Requests {
		at := float64(t.Requests[i].At-first) * by
		if at > float64(maxLength) {
			return fmt.Errorf("request %d comes more than %v after the first: name a limit, or a smaller time scale", i+1, maxLength)
		}
		t.Requests[i].At = time.Duration(at)
	}
	return nil
}
