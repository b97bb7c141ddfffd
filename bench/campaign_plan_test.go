package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"vllmbench/client"
)

// faultShares are what the campaign's server does wrong. A request meets at
// most one fault of each share, so at most one that ends it badly: then what the
// client must say of it is no matter of taste.
var faultShares = []struct {
	share  float64
	faults []string
}{
	{0.12, []string{ // endings, and other lengths than asked
		"refuse", "reset-header", "http2", "status=400/new", "status=429/old", "status=404/text", "status=500/new", "status=503/html", "status=502/nothing",
		"stall-header", "stall@0", "stall@1", "stall@done",
		"reset@0", "reset@1", "reset@3", "reset@done", "cut@0", "cut@2", "cut=inside@1", "cut=inside@done", "cut=half@2", "cut@done",
		"end@0", "end@2", "end@done", "early-done@0", "early-done@3",
		"error=new@0", "error=new@3", "error=old@1", "error=string@2", "error=comment@1", "error=event@2", "error=undone@1", "error=bare@3", "error=new@done",
		"tokens=-1", "tokens=2", "usage-prompt=1", "usage-prompt=-1", "usage-output=1", "usage-output=-1", "usage=none", "usage=late",
		"finish=none", "finish=abort", "finish=error", "finish=stop", "gzip", "swallow=1000@3",
	}},
	{0.2, []string{ // other events
		"join=2", "join=5", "join=100", "empty=2", "empty=3", "utf8", "reasoning", "reasoning=reasoning_content", "role-first", "swallow=2@1",
		"utf8,reasoning", "utf8,role-first",
	}},
	{0.25, []string{ // other bytes and writes
		"comments=1", "comments=20", "crlf", "burst=2", "burst=1000", "split=2", "split=3", "split=20", "comments=3,crlf,split=5", "crlf,burst=3",
	}},
	{0.1, []string{ // other times, and what is done to others or to the counters
		"stall=10ms@1", "stall=5ms@0", "stall-header=5ms", "slow-end=5ms", "slow-end", "cached", "foreign=8", "count-output=1", "restart@1",
	}},
}

// faultRules are the shares as the server's flag takes them.
func faultRules() (rules []string) {
	for _, s := range faultShares {
		rules = append(rules, fmt.Sprintf("%s:%g", strings.Join(s.faults, "|"), s.share))
	}
	return rules
}

const (
	inFlight = 128 // streams at a time
	warmUp   = 256 // streams that meet no fault
	shortest = 6   // output tokens
	longest  = 18
	kvBlocks = 2048 // for all, and few enough that the prefix cache is soon full
	chatText = "Tell me of a campaign."
)

// A way is how a client of the campaign reaches the server and stamps.
type way int

const (
	plain way = iota // kernel stamps
	byUser
	encrypted
	ways
)

func (w way) String() string { return [...]string{"kernel stamps", "user stamps", "TLS"}[w] }

// wayOf is the way of a worker: one in six each has user stamps and TLS. A
// worker stays with its way, so that a way always has the same number of connections in use.
func wayOf(worker int) way {
	switch worker % 6 {
	case 0:
		return byUser
	case 1:
		return encrypted
	}
	return plain
}

// planned draws stream i of a phase. Its salt is its name at the server.
func planned(seed uint64, phase string, i, chatPrompt int) client.Request {
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	req := client.Request{
		OutputTokens: shortest + r.IntN(longest-shortest+1), Exact: r.IntN(4) > 0, Extensions: true, ContinuousUsage: r.IntN(10) == 0,
		CacheSalt: fmt.Sprintf("%s %d", phase, i),
	}
	if r.IntN(2) == 0 {
		req.Endpoint, req.Text = client.Chat, chatText
		if r.IntN(2) == 0 { // else the client does not know it beforehand
			req.PromptTokens = chatPrompt
		}
		return req
	}
	req.IDs = make([]int, 1+r.IntN(40))
	for j := range req.IDs {
		req.IDs[j] = 1000 + r.IntN(10000)
	}
	req.PromptTokens = len(req.IDs)
	return req
}
