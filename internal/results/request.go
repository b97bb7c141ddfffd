package results

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"vllmbench/client"
)

// ErrCut says that a file ends before what it should hold.
var ErrCut = errors.New("cut off")

// A request is a client.Result as one line of requests.jsonl.gz: the events
// by columns, and the columns that say nothing left out.
type request struct {
	Intended  time.Duration `json:"intended_ns"`
	Scheduled bool          `json:"scheduled,omitempty"`
	Sent      time.Duration `json:"sent_ns"`
	FirstByte time.Duration `json:"first_byte_ns"`
	End       time.Duration `json:"end_ns"`

	At     []time.Duration `json:"at_ns,omitempty"`  // the first since the epoch, then each since the one before
	Lag    []time.Duration `json:"lag_ns,omitempty"` // of each event; left out if all are 0
	Tokens []int           `json:"tokens,omitempty"` // of each event; left out if all are 1
	Merged []int           `json:"merged,omitempty"` // the merged events, counted from 0

	Model        string         `json:"model,omitempty"` // where a run asks for several
	PromptTokens int            `json:"prompt_tokens"`
	OutputTokens int            `json:"output_tokens"`
	CachedTokens int            `json:"cached_tokens,omitempty"`
	Turn         int            `json:"turn,omitempty"`
	Seen         int            `json:"seen_tokens,omitempty"`
	FinishReason string         `json:"finish_reason,omitempty"`
	Estimated    bool           `json:"estimated,omitempty"`
	Reused       bool           `json:"reused"`
	Attempts     int            `json:"attempts"`
	Unstamped    int            `json:"unstamped,omitempty"`
	Connect      time.Duration  `json:"connect_ns,omitempty"`
	Outcome      client.Outcome `json:"outcome"`
	Error        string         `json:"error,omitempty"`
}

func pack(r *client.Result) request {
	q := request{
		Intended: r.Intended, Scheduled: r.Scheduled, Sent: r.Sent, FirstByte: r.FirstByte, End: r.End,
		Model: r.Model, PromptTokens: r.PromptTokens, OutputTokens: r.OutputTokens, CachedTokens: r.CachedTokens,
		Turn: r.Turn, Seen: r.Seen, FinishReason: r.FinishReason, Estimated: r.Estimated, Reused: r.Reused, Attempts: r.Attempts,
		Unstamped: r.Unstamped, Connect: r.Connect, Outcome: r.Outcome, Error: r.Error,
	}
	var before time.Duration
	for i, e := range r.Events {
		q.At = append(q.At, e.At-before)
		q.Lag = append(q.Lag, e.Lag)
		q.Tokens = append(q.Tokens, e.Tokens)
		if e.Merged {
			q.Merged = append(q.Merged, i)
		}
		before = e.At
	}
	if !slices.ContainsFunc(q.Lag, func(d time.Duration) bool { return d != 0 }) {
		q.Lag = nil
	}
	if !slices.ContainsFunc(q.Tokens, func(n int) bool { return n != 1 }) {
		q.Tokens = nil
	}
	return q
}

func (q *request) unpack() (client.Result, error) {
	r := client.Result{
		Intended: q.Intended, Scheduled: q.Scheduled, Sent: q.Sent, FirstByte: q.FirstByte, End: q.End,
		Model: q.Model, PromptTokens: q.PromptTokens, OutputTokens: q.OutputTokens, CachedTokens: q.CachedTokens,
		Turn: q.Turn, Seen: q.Seen, FinishReason: q.FinishReason, Estimated: q.Estimated, Reused: q.Reused, Attempts: q.Attempts,
		Unstamped: q.Unstamped, Connect: q.Connect, Outcome: q.Outcome, Error: q.Error,
	}
	n := len(q.At)
	if (q.Lag != nil && len(q.Lag) != n) || (q.Tokens != nil && len(q.Tokens) != n) {
		return r, fmt.Errorf("a request has %d at_ns, %d lag_ns and %d tokens, not one of each an event", n, len(q.Lag), len(q.Tokens))
	}
	if n > 0 {
		r.Events = make([]client.Event, n)
	}
	var at time.Duration
	for i := range r.Events {
		at += q.At[i]
		r.Events[i] = client.Event{At: at, Tokens: 1}
		if q.Lag != nil {
			r.Events[i].Lag = q.Lag[i]
		}
		if q.Tokens != nil {
			r.Events[i].Tokens = q.Tokens[i]
		}
	}
	for _, i := range q.Merged {
		if i < 0 || i >= n {
			return r, fmt.Errorf("a request of %d events has merged event %d", n, i)
		}
		r.Events[i].Merged = true
	}
	return r, nil
}

// encodeRequests makes one gzip member of the requests of a row.
func encodeRequests(reqs []client.Result) ([]byte, error) {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	lines := encoder(z)
	for i := range reqs {
		if err := lines.Encode(pack(&reqs[i])); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return member.Bytes(), err
}

// decodeRequests yields the requests of one gzip member until yield returns
// false. Of a member that is cut it yields what is whole, then returns ErrCut.
func decodeRequests(r io.Reader, yield func(client.Result) bool) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return cut(err)
	}
	lines := json.NewDecoder(z)
	for {
		var q request
		err := lines.Decode(&q)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return cut(err)
		}
		res, err := q.unpack()
		if err != nil {
			return err
		}
		if !yield(res) {
			return nil
		}
	}
}

// cut turns the errors by which gzip and JSON tell of an early end into ErrCut.
func cut(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}
