package client

import "time"

// An Outcome says how a request ended.
type Outcome string

const (
	OK                Outcome = "ok"
	Connect           Outcome = "connect"             // no connection, or it broke before the first byte
	HTTP4xx           Outcome = "http_4xx"            // refused: the request is wrong
	HTTP5xx           Outcome = "http_5xx"            // refused: the server failed
	StreamError       Outcome = "stream_error"        // an error event, or a connection that broke in mid-stream
	Truncated         Outcome = "truncated"           // the stream closed without [DONE], finish reason or usage
	WrongLength       Outcome = "wrong_length"        // other than the asked number of prompt or output tokens
	TimeoutFirstToken Outcome = "timeout_first_token" // no token in Config.FirstToken
	TimeoutStall      Outcome = "timeout_stall"       // no event in Config.Stall
	Cancelled         Outcome = "cancelled"           // the caller's context ended
	Dropped           Outcome = "dropped"             // never sent: too many were in flight when it was due
)

// An Event is one arrival of tokens.
type Event struct {
	At     time.Duration // arrival, since the client's epoch
	Lag    time.Duration // from arrival to the client's own reading of it; 0 under user stamps
	Tokens int           // tokens that the event carries, 1 or more
	Merged bool          // has its time in common with the event before it, so At is an upper bound for both
}

// A Result is what became of a Request. Times are since the client's epoch;
// a zero time is an instant that was not reached.
type Result struct {
	Intended  time.Duration // Request.Intended, or when Generate was called
	Scheduled bool          // Intended is an arrival of an open loop, from which latencies count
	Sent      time.Duration // just before the request's last byte was written
	FirstByte time.Duration // the response's first byte
	End       time.Duration // the last bytes of the stream, [DONE], or when the client gave up
	Events    []Event       // arrivals of tokens, in order

	PromptTokens int    // by the server's final usage
	OutputTokens int    // by the server's final usage
	OutputIDs    []int  // of the generated tokens, if Request.ReturnIDs and the server lists them
	CachedTokens int    // prompt tokens from the prefix cache, where the server tells; else 0
	FinishReason string // "length", "stop", ...

	Model string // Request.Model

	Turn int // Request.Turn
	Seen int // Request.Seen

	// Estimated says that events and usage disagree, so that the tokens of
	// each event are a guess: their sum is right, their spacing is not.
	Estimated bool

	Reused    bool          // sent on a connection that was open before
	Attempts  int           // connections it was sent on; above 1 if a stale one had to be replaced
	Unstamped int           // events without a kernel stamp although kernel stamps are on
	Connect   time.Duration // time to open the connection, TLS included; 0 if reused

	Outcome Outcome
	Error   string // one line, empty if OK; never holds the API key
}

// Start is the instant from which latencies count: the sending of the
// request's last byte, or, of a scheduled request, when it was due, so that
// whatever held it back is in its latency.
func (r *Result) Start() time.Duration {
	if r.Scheduled {
		return r.Intended
	}
	return r.Sent
}

// TTFT is the time to first token: from Start to the arrival of the first
// event that bears a token. It is 0 if there was none.
func (r *Result) TTFT() time.Duration {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[0].At - r.Start()
}

// E2E is the time from Start to the arrival of the last token, or 0 if there was none.
func (r *Result) E2E() time.Duration {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[len(r.Events)-1].At - r.Start()
}

// TPOT is the mean time per output token after the first event:
// (last - first) / (tokens - tokens of the first event).
// It is 0 if all tokens came in one event.
func (r *Result) TPOT() time.Duration {
	if len(r.Events) < 2 {
		return 0
	}
	n := 0
	for _, e := range r.Events[1:] {
		n += e.Tokens
	}
	return (r.Events[len(r.Events)-1].At - r.Events[0].At) / time.Duration(n)
}
