package measure

import (
	"time"

	"vllmbench/client"
	"vllmbench/internal/slo"
)

// A sight is what the window shows of a run. Tokens are credited by their own
// arrival. A request of a closed loop belongs to the window in which it ended,
// since under a steady load as many begin before a window and end in it as the
// other way round; one of an open loop to that in which it was due, so that a
// queue that is longer than the window hides nothing.
type sight struct {
	ttft, itl, tpot, e2e, lag sample
	turnaround                sample // end of a request to the next one's sending; none in an open loop
	turns                     turns
	late                      sample // due to sent, in an open loop
	ttftSent, e2eSent         sample // from the sending, in an open loop
	connect                   sample // time to open the connection of each request, 0 if it was open; in an open loop

	requests     int // ended well inside the window
	failed       int // of the whole run
	due          int // requests that belong to the window, failed ones included
	met          int // of these, that met the SLO
	metSent      int // of these, that would have met it had they been sent in time
	tokens       int // output tokens that arrived
	events       int // events that carried them
	merged       int // events under one stamp with the one before
	blurred      int // requests whose first token has the stamp of a later one
	promptTokens int // of requests whose first token arrived
	unstamped    int // events without a kernel stamp
	guessed      int // output tokens of requests that ended, by which their events and their usage differ
	asked        int // prompt tokens of requests that ended
	generated    int // output tokens of requests that ended
	inFlight     time.Duration
}

// look reads the results of all streams, which wait for think between requests, through w.
func look(streams [][]client.Result, w Window, think time.Duration, objective slo.SLO) *sight {
	s := &sight{}
	for _, rs := range streams {
		for i := range rs {
			s.request(&rs[i], w, objective)
			if i+1 < len(rs) && w.holds(rs[i].End) && rs[i].Outcome == client.OK && rs[i+1].Sent > 0 && !rs[i+1].Scheduled {
				s.turnaround = append(s.turnaround, rs[i+1].Sent-rs[i].End-think)
			}
		}
	}
	for _, l := range []sample{s.ttft, s.itl, s.tpot, s.e2e, s.lag, s.late, s.ttftSent, s.e2eSent} {
		l.sort()
	}
	return s
}

func (s *sight) request(r *client.Result, w Window, objective slo.SLO) {
	if belongs(r, w) {
		s.due++
		if objective.Met(r) {
			s.met++
		}
		if r.Scheduled && r.Sent > 0 {
			s.sent(*r, objective)
		}
	}
	if r.Outcome != client.OK {
		s.failed++
		return
	}
	first, last := r.Events[0], r.Events[len(r.Events)-1]
	if w.holds(first.At) {
		s.promptTokens += r.PromptTokens
	}
	own := belongs(r, w)
	if own && r.Scheduled || !r.Scheduled && w.holds(first.At) {
		s.ttft = append(s.ttft, r.TTFT())
		s.turns.add(r)
		if len(r.Events) > 1 && r.Events[1].Merged {
			s.blurred++
		}
	}
	if own {
		s.e2e = append(s.e2e, r.E2E())
		if len(r.Events) > 1 {
			s.tpot = append(s.tpot, r.TPOT())
		}
	}
	if w.holds(last.At) {
		s.requests++
		s.asked += r.PromptTokens
		s.generated += r.OutputTokens
		s.unstamped += r.Unstamped
		if r.Estimated {
			s.guessed += max(r.OutputTokens-len(r.Events), len(r.Events)-r.OutputTokens)
		}
	}
	s.inFlight += max(0, min(last.At, w.To)-max(r.Sent, w.From))
	s.tokensOf(r, w)
}

// sent notes a request of an open loop as if it had been due when it was sent.
func (s *sight) sent(r client.Result, objective slo.SLO) {
	s.late = append(s.late, r.Sent-r.Intended)
	s.connect = append(s.connect, r.Connect)
	r.Scheduled = false
	if objective.Met(&r) {
		s.metSent++
	}
	if r.Outcome == client.OK {
		s.ttftSent = append(s.ttftSent, r.TTFT())
		s.e2eSent = append(s.e2eSent, r.E2E())
	}
}

// belongs says whether the whole request is the window's.
func belongs(r *client.Result, w Window) bool {
	switch {
	case r.Scheduled:
		return w.From <= r.Intended && r.Intended < w.To
	case len(r.Events) > 0 && r.Outcome == client.OK:
		return w.holds(r.Events[len(r.Events)-1].At)
	}
	return w.holds(r.End)
}

func (s *sight) tokensOf(r *client.Result, w Window) {
	for i, e := range r.Events {
		if !w.holds(e.At) {
			continue
		}
		s.tokens += e.Tokens
		s.events++
		s.lag = append(s.lag, e.Lag)
		if e.Merged {
			s.merged++
		}
		if i > 0 {
			gap := (e.At - r.Events[i-1].At) / time.Duration(e.Tokens)
			for range e.Tokens {
				s.itl = append(s.itl, gap)
			}
		}
	}
}

// share is part / whole, or 0 of nothing.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}
