package results

import (
	"maps"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/engine"
)

// An Instance is one of several processes that share a load. Its rows do not
// balance the server's ledger, which counts the requests of all of them: their sum
// does, from the first Before of all instances to the last After, with what all of them Asked.
type Instance struct {
	Name    string   `json:"name"`
	Segment string   `json:"segment,omitempty"` // its part of the load, "1/4:1/2"; empty: all of it
	Before  *Reading `json:"before,omitempty"`  // before its first request, those of Asked too; nil: the server has no counters
	After   *Reading `json:"after,omitempty"`   // saved by Writer.After; nil: as Before, or the instance died
	Asked   []Asked  `json:"asked,omitempty"`
}

// Asked is a request that is in no row, such as the one by which a server shows
// that it takes token ids.
type Asked struct {
	PromptTokens int `json:"prompt_tokens"`
	OutputTokens int `json:"output_tokens"`
}

// A Reading is what the server had counted at one moment.
type Reading struct {
	At       time.Time `json:"at"`                // this machine's clock
	Engines  int       `json:"engines,omitempty"` // that report; 0: unknown
	Started  float64   `json:"started,omitempty"` // the server's process, seconds since 1970; 0: unknown
	Created  float64   `json:"created,omitempty"` // its counters, seconds since 1970, summed over engines; 0: unknown
	Counters []Counter `json:"counters"`          // those that it has
}

// A Counter is one of the server's, summed over its engines.
type Counter struct {
	Name string  `json:"name"` // "prompt tokens", "requests (length)", "running", ...; of a histogram "ttft seconds" and "ttft count"
	N    float64 `json:"n"`
}

// finishedAs are the names of counters by finish reason.
const finishedAs, finishedEnd = "requests (", ")"

// ReadingOf keeps what s tells.
func ReadingOf(s *engine.Snapshot) *Reading {
	r := &Reading{At: s.At, Engines: s.Engines, Started: s.Started, Created: s.Created}
	put := func(name string, n float64) { r.Counters = append(r.Counters, Counter{name, n}) }
	for _, reason := range slices.Sorted(maps.Keys(s.Finished)) {
		put(finishedAs+reason+finishedEnd, s.Finished[reason])
	}
	for _, v := range singles(s) {
		if v.Known {
			put(v.name, v.N)
		}
	}
	for _, h := range histograms(s) {
		if h.Known {
			put(h.name+" seconds", h.Sum)
			put(h.name+" count", h.Count)
		}
	}
	return r
}

// Snapshot is the reading as engine knows it, so that two of them make a Delta.
func (r *Reading) Snapshot() *engine.Snapshot {
	s := &engine.Snapshot{At: r.At, Engines: r.Engines, Started: r.Started, Created: r.Created}
	saved := map[string]float64{}
	for _, c := range r.Counters {
		saved[c.Name] = c.N
		if reason, ok := strings.CutPrefix(c.Name, finishedAs); ok && strings.HasSuffix(reason, finishedEnd) {
			if s.Finished == nil {
				s.Finished = map[string]float64{}
			}
			s.Finished[strings.TrimSuffix(reason, finishedEnd)] = c.N
		}
	}
	for _, v := range singles(s) {
		v.N, v.Known = saved[v.name]
	}
	for _, h := range histograms(s) {
		var sum, count bool
		h.Sum, sum = saved[h.name+" seconds"]
		h.Count, count = saved[h.name+" count"]
		h.Known = sum && count
	}
	return s
}

type single struct {
	name string
	*engine.Value
}

func singles(s *engine.Snapshot) []single {
	return []single{
		{"finished requests", &s.Requests}, {"prompt tokens", &s.PromptTokens}, {"generated tokens", &s.GenerationTokens},
		{"prefix cache queries", &s.PrefixQueries}, {"prefix cache hits", &s.PrefixHits}, {"external prefix cache hits", &s.ExternalHits},
		{"preemptions", &s.Preemptions}, {"running", &s.Running}, {"waiting", &s.Waiting}, {"KV cache use", &s.KVUse},
	}
}

type histogram struct {
	name string
	*engine.Hist
}

func histograms(s *engine.Snapshot) []histogram {
	return []histogram{{"ttft", &s.TTFT}, {"itl", &s.ITL}, {"e2e", &s.E2E}, {"queue", &s.Queue}, {"prefill", &s.Prefill}, {"decode", &s.Decode}}
}
