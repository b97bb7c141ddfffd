// Package trace reads published traces of LLM serving: when requests came, and how long they were.
//
// A trace is replayed as it is or not at all: a request that cannot be sent is
// left out and counted, never shortened, since a shortened one is another load.
package trace

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vllmbench/internal/numeral"
)

// A Format is a published form of traces.
type Format string

const (
	// Mooncake is JSON lines of timestamp (ms), input_length, output_length
	// (tokens) and hash_ids, one for each 512 tokens of the prompt, the last of which
	// may be fewer (github.com/kvcache-ai/Mooncake).
	Mooncake Format = "mooncake"

	// Azure is the CSV of the Azure LLM inference traces of 2023 and 2024:
	// TIMESTAMP, ContextTokens, GeneratedTokens (github.com/Azure/AzurePublicDataset).
	Azure Format = "azure"

	// BurstGPT is the CSV of that name: Timestamp (s), Model, Request tokens,
	// Response tokens, Total tokens, Log Type; in newer files also Session ID and
	// Elapsed time (github.com/HPMLL/BurstGPT).
	BurstGPT Format = "burstgpt"
)

// ParseFormat returns the format of a name. "auto" and "" are the zero Format,
// which is found by a file's content.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case "", "auto":
		return "", nil
	case Mooncake, Azure, BurstGPT:
		return f, nil
	}
	return "", fmt.Errorf("%q is no trace format: name auto, %s, %s or %s", name, Mooncake, Azure, BurstGPT)
}

// A Request is one line of a trace.
type Request struct {
	At     time.Duration // of its arrival, since the first request's
	Prompt int           // tokens
	Output int           // tokens

	// Blocks are the hashes of the prompt's blocks of Trace.Block tokens, in
	// order; the last block may be shorter. nil: the trace does not tell.
	Blocks []uint64
}

// A Trace is what is to be replayed of a file.
type Trace struct {
	Format   Format
	Requests []Request // by At
	Block    int       // tokens in a block; 0: no request has blocks
	LeftOut  LeftOut
}

// Longest is the most tokens that a request's prompt and output have together.
func (t *Trace) Longest() (tokens int) {
	for _, q := range t.Requests {
		tokens = max(tokens, q.Prompt+q.Output)
	}
	return tokens
}

// LeftOut counts the requests of the time of a trace that are not in it.
type LeftOut struct {
	Long     int // prompt and output together exceed Options.MaxTokens
	NoPrompt int // their prompt has 0 tokens
	NoOutput int // their output has 0 tokens: in BurstGPT, requests that failed
}

// String names the counts that are not 0, "" if all are.
func (l LeftOut) String() string {
	var parts []string
	for _, c := range []struct {
		n   int
		why string
	}{{l.Long, "longer than the context"}, {l.NoPrompt, "without a prompt"}, {l.NoOutput, "without an output"}} {
		if c.n > 0 {
			parts = append(parts, numeral.Grouped(strconv.Itoa(c.n), " ")+" "+c.why)
		}
	}
	return strings.Join(parts, ", ")
}

// Options say what of a file is taken. The zero value takes all, as it is.
type Options struct {
	Format Format // "": by the content

	// Block is the number of tokens in a Mooncake file's blocks. 0 means 512,
	// as published; other producers of that format choose their own.
	Block int

	// From skips requests that came earlier than so long after the file's first line.
	From time.Duration

	// Limit is the most requests to take. 0 means no limit.
	Limit int

	// TimeScale stretches the time between arrivals: 2 is half the rate. 0 means 1.
	TimeScale float64

	// MaxTokens is the longest context: longer requests are left out. 0 means no limit.
	MaxTokens int
}

func (o Options) check() error {
	switch {
	case !(o.TimeScale >= 0 && o.TimeScale <= maxScale):
		return fmt.Errorf("a time scale of %v is not between 0 and %v: 1 is as recorded, 2 is half the rate", o.TimeScale, float64(maxScale))
	case o.Limit > maxRequests:
		return fmt.Errorf("a limit of %d is more than the %d requests that can be replayed", o.Limit, maxRequests)
	case o.From < 0 || o.Limit < 0 || o.MaxTokens < 0 || o.Block < 0:
		return fmt.Errorf("the start %v, the limit %d, the context %d and the block %d of a trace cannot be negative", o.From, o.Limit, o.MaxTokens, o.Block)
	}
	return nil
}
