package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/client"
	"vllmbench/internal/vllmsim"
)

// A finding is one stream: what was asked, what the client says, and what the server did.
type finding struct {
	req   client.Request
	res   client.Result
	told  []vllmsim.Truth // the last is of the answer; those before, of connections that broke without one
	epoch time.Time       // of the result's times
}

func (f *finding) truth() *vllmsim.Truth { return &f.told[len(f.told)-1] }

// broken is how many connections f may cost: those that broke without an answer,
// and the last one unless the server ended the answer in good form. After an
// error without [DONE] the client does not wait for that end.
func (f *finding) broken() int {
	n := max(0, f.res.Attempts-1)
	if len(f.told) == 0 {
		return n + 1
	}
	switch f.truth().End {
	case vllmsim.Closed, vllmsim.Reset, vllmsim.Left:
		return n + 1
	}
	undone := func(x vllmsim.Fault) bool { return strings.HasPrefix(x.String(), "error=undone@") }
	if slices.ContainsFunc(f.truth().Faults, undone) {
		n++
	}
	return n
}

// errs are the ways in which the result is not what it should be.
func (f *finding) errs() (errs []string) {
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Sprintf(format, args...))
		}
	}
	if len(f.told) == 0 {
		return []string{"the server has told nothing of it"}
	}
	res, truth := &f.res, f.truth()
	want := wanted(&f.req, truth)
	say(res.Outcome != want, "outcome %s instead of %s", res.Outcome, want)
	say((res.Error == "") != (res.Outcome == client.OK), "error %q", res.Error)
	good := truth.End == vllmsim.Completed || truth.End == vllmsim.Left || truth.End == vllmsim.Ended && sent(truth) >= f.req.OutputTokens
	say(res.Outcome == client.OK && !good, "ok, but the server %s", truth.End)

	for i := range f.told[:len(f.told)-1] {
		say(!unanswered(&f.told[i]), "it was sent again after an answer")
	}
	say(res.Attempts < len(f.told), "%d attempts, but %d requests at the server", res.Attempts, len(f.told))
	say(unanswered(truth) && res.Reused, "it was not sent again, although the connection that broke was an old one")

	errs = append(errs, f.miscounts(truth)...)
	return append(errs, f.lateOrEarly(truth)...)
}

// stoodStill says whether a stream timed out that no fault had held up, and
// yet the server sent nothing for so long: both were kept off the processor.
func (f *finding) stoodStill() bool {
	if len(f.told) == 0 || !f.timedOut() {
		return false
	}
	truth := f.truth()
	last, silence := f.epoch.Add(f.res.Sent), time.Duration(0)
	for _, e := range truth.Events {
		silence, last = max(silence, e.Began.Sub(last)), e.Began
	}
	silence = max(silence, truth.Ended.Sub(last))
	want := wanted(&f.req, truth)
	return silence > patience*9/10 && want != client.TimeoutFirstToken && want != client.TimeoutStall
}

func (f *finding) timedOut() bool {
	return f.res.Outcome == client.TimeoutFirstToken || f.res.Outcome == client.TimeoutStall
}

// miscounts are the numbers of tokens and events that do not balance.
func (f *finding) miscounts(truth *vllmsim.Truth) (errs []string) {
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Sprintf(format, args...))
		}
	}
	res, a, tokens := &f.res, balance(&f.req, truth), 0
	for _, e := range res.Events {
		tokens += e.Tokens
	}
	less := len(res.Events) < a.events || len(res.Events) == a.events && a.usage && res.OutputTokens == 0
	if truth.End == vllmsim.Reset && less {
		return nil // a reset discards what was written and has not left: on a busy host, the last events
	}
	if a.usage {
		say(res.PromptTokens != a.prompt, "%d prompt tokens instead of %d", res.PromptTokens, a.prompt)
		say(a.output >= 0 && res.OutputTokens != a.output, "%d output tokens instead of %d", res.OutputTokens, a.output)
		say(a.output >= 0 && tokens != a.output, "events of %d tokens instead of %d", tokens, a.output)
	}
	say(len(res.Events) != a.events, "%d events instead of %d", len(res.Events), a.events)
	say(res.Estimated != a.estimated, "estimated: %v", res.Estimated)
	return errs
}

// clockError is how far the wall clock and the monotonic one, which are read
// one after the other, may disagree about the order of two instants.
const clockError = 5 * time.Microsecond

// lateOrEarly are the times that cannot be.
func (f *finding) lateOrEarly(truth *vllmsim.Truth) (errs []string) {
	say := func(wrong bool, what string, by time.Duration) {
		if wrong {
			errs = append(errs, fmt.Sprintf("%s by %v", what, by))
		}
	}
	res := &f.res
	after := func(t time.Time) time.Duration { return t.Sub(f.epoch) }
	say(res.Sent > after(truth.Arrived), "it was sent after the server had it", res.Sent-after(truth.Arrived))
	say(res.FirstByte > 0 && res.FirstByte+clockError < after(truth.Arrived), "the answer came before the request", after(truth.Arrived)-res.FirstByte)
	all := len(res.Events) == len(truth.Events) // else some have no text
	for i, e := range res.Events {
		say(i > 0 && e.At < res.Events[i-1].At, "events out of order", res.Events[max(0, i-1)].At-e.At)
		say(e.At > res.End, "an event after the end", e.At-res.End)
		if i == 0 || all {
			began := after(truth.Events[i].Began)
			say(e.At+clockError < began, fmt.Sprintf("event %d came before it was written", i), began-e.At)
		}
	}
	waited := res.End - res.Intended
	if n := len(res.Events); n > 0 {
		waited = res.End - res.Events[n-1].At
	}
	say(f.timedOut() && waited < patience, "it gave up too early", patience-waited)
	return errs
}

func (f *finding) String() string {
	var told []string
	for _, t := range f.told {
		var faults []string
		for _, x := range t.Faults {
			faults = append(faults, x.String())
		}
		told = append(told, fmt.Sprintf("[%s] status %d, %s, %d events, %d tokens", strings.Join(faults, ","), t.Status, t.End, len(t.Events), t.Generated))
	}
	r := f.res
	return fmt.Sprintf("%s (%s, %d tokens, exact %v, continuous %v): server: %s; client: %s %q, %d events, %d tokens, %d attempts, reused %v", f.req.CacheSalt,
		f.req.Endpoint, f.req.OutputTokens, f.req.Exact, f.req.ContinuousUsage, strings.Join(told, " then "), r.Outcome, r.Error, len(r.Events), r.OutputTokens, r.Attempts, r.Reused)
}
