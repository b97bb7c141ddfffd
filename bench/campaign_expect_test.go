package bench

import (
	"slices"
	"strconv"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/vllmsim"
)

// exceptions are the faults whose outcome depends on more than docs/faults.md
// can say in its table, each with the reason.
var exceptions = map[string]struct {
	why     string
	outcome client.Outcome
	applies func(req *client.Request, f fault, truth *vllmsim.Truth) bool
}{
	"usage-prompt": {"a client that does not know the prompt's length believes the server", client.OK,
		func(req *client.Request, _ fault, _ *vllmsim.Truth) bool { return req.PromptTokens == 0 }},
	"usage-output": {"a client that wants no exact length takes the one it gets", client.OK, anyLength},
	"tokens":       {"a client that wants no exact length takes the one it gets", client.OK, anyLength},
	"usage": {"a client that has usage on each event can do without the last one", client.OK,
		func(req *client.Request, _ fault, _ *vllmsim.Truth) bool { return req.ContinuousUsage }},
	"swallow": {"the last token's event takes the finish reason with it", client.Truncated,
		func(req *client.Request, f fault, truth *vllmsim.Truth) bool { return f.swallowsLast(req, truth) }},
	"early-done": {"if all tokens have come with their usage, nothing is missing", client.OK,
		func(req *client.Request, _ fault, truth *vllmsim.Truth) bool {
			return req.ContinuousUsage && sent(truth) >= req.OutputTokens
		}},
	"gzip": {"a client that cannot read the stream's end waits for it, if the connection does not end", client.TimeoutFirstToken,
		func(_ *client.Request, _ fault, truth *vllmsim.Truth) bool {
			return slices.ContainsFunc(truth.Faults, func(f vllmsim.Fault) bool { return f.String() == "slow-end=ever" })
		}},
}

func anyLength(req *client.Request, _ fault, _ *vllmsim.Truth) bool { return !req.Exact }

// A fault is one of a truth's, taken apart.
type fault struct {
	vllmsim.Fault
	value string
	at    int // tokens before it; atDone: all
}

const atDone = 1 << 30

func faultsOf(truth *vllmsim.Truth) (faults []fault) {
	for _, f := range truth.Faults {
		text, at, _ := strings.Cut(f.String(), "@")
		_, value, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(at)
		if err != nil {
			n = atDone
		}
		faults = append(faults, fault{f, value, n})
	}
	return faults
}

// number is the fault's value, where that is one.
func (f fault) number() int {
	n, _ := strconv.Atoi(f.value)
	return n
}

// swallowsLast says whether f, a swallow, took the last token's event.
func (f fault) swallowsLast(req *client.Request, truth *vllmsim.Truth) bool {
	return f.at+f.number() >= req.OutputTokens && sent(truth) < truth.Generated
}

// sent is how many tokens left in events.
func sent(truth *vllmsim.Truth) (tokens int) {
	for _, e := range truth.Events {
		tokens += e.Tokens
	}
	return tokens
}

// wanted is what the client must say of req: the outcome of the one fault that is not ok.
func wanted(req *client.Request, truth *vllmsim.Truth) client.Outcome {
	for _, f := range faultsOf(truth) {
		outcome := client.Outcome(f.Outcome())
		if e, ok := exceptions[f.Name()]; ok && e.applies(req, f, truth) {
			outcome = e.outcome
		}
		if outcome != client.OK {
			return outcome
		}
	}
	return client.OK
}

// An account is what the client must have counted of a stream.
type account struct {
	usage          bool // it has seen one
	prompt, output int  // tokens, of it; -1: cannot be told
	events         int  // that bear tokens
	estimated      bool
}

// balance draws the account of a stream.
func balance(req *client.Request, truth *vllmsim.Truth) account {
	events, bearing, offset := len(truth.Events), len(truth.Events), 0
	a := account{prompt: truth.PromptTokens}
	whole := truth.End == vllmsim.Completed // all that comes before [DONE] was sent
	last, swallowed, unfinished, stalled := true, false, false, false
	for _, f := range faultsOf(truth) {
		switch f.Name() {
		case "usage-prompt":
			a.prompt += f.number()
		case "usage-output":
			offset = f.number()
		case "empty":
			bearing -= events / f.number() // every N-th has no text
		case "usage":
			last = false
		case "gzip":
			return account{}
		case "swallow":
			swallowed, unfinished = true, unfinished || f.swallowsLast(req, truth)
		case "stall", "reset", "cut", "end", "error":
			whole = whole || f.at == atDone && truth.Generated >= req.OutputTokens
			stalled = f.Name() == "stall" && truth.End == vllmsim.Left
		case "slow-end":
			whole = whole || truth.End == vllmsim.Left && !stalled
		}
	}
	switch {
	case whole && (last || req.ContinuousUsage):
		a.usage, a.output = true, truth.Generated+offset
	case req.ContinuousUsage && events > 0 && swallowed: // its tokens count, their events are missing
		a.usage, a.output = true, -1
	case req.ContinuousUsage && events > 0:
		a.usage, a.output = true, sent(truth)+offset
	default: // without usage an event with a text is a token
		a.events = bearing
		return a
	}
	switch {
	case req.ContinuousUsage && offset < 0 && truth.Events[0].Tokens+offset <= 0: // then the first event is said to add nothing
		a.events = events - 1
	case a.output == events || req.ContinuousUsage && !unfinished:
		a.events = events
	default:
		a.events, a.estimated = min(bearing, a.output), a.output != bearing
	}
	return a
}
