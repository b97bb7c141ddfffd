package client

import (
	"bytes"
	"fmt"
)

// What one answer may take, so that a server cannot exhaust the client. vLLM
// stays far below: an event has 0.3 kB, an error less than its request.
const (
	maxHeader  = 64 << 10  // bytes of a header
	maxRefusal = 1 << 20   // bytes of an answer that is no stream
	maxLine    = 64 << 10  // bytes of one line of a stream
	maxStream  = 256 << 10 // bytes of a stream, and maxPerToken for each token asked
	maxEvents  = 1 << 10   // events of a stream, and maxEventsPerToken for each token asked

	maxPerToken       = 4 << 10
	maxEventsPerToken = 4
)

// An excess is an answer that is longer than any that a server could mean.
type excess string

func (e excess) Error() string { return string(e) }

// A bound counts what was read of an answer.
type bound struct {
	stream bool // line by line; else all of it is one text
	tokens int  // asked
	read   int  // bytes
	line   int  // bytes since the last line's end
}

// count notes that p was read, and returns an excess if that is too much.
func (b *bound) count(p []byte) error {
	b.read += len(p)
	if !b.stream {
		if b.read > maxRefusal {
			return excess(fmt.Sprintf("the server's error is longer than %d bytes", maxRefusal))
		}
		return nil
	}
	for {
		i := bytes.IndexByte(p, '\n')
		if b.line += len(p[:i+1]); i < 0 {
			b.line += len(p)
		}
		if b.line > maxLine {
			return excess(fmt.Sprintf("the stream has a line of more than %d bytes", maxLine))
		}
		if i < 0 {
			break
		}
		p, b.line = p[i+1:], 0
	}
	if limit := maxStream + maxPerToken*b.tokens; b.read > limit {
		return excess(fmt.Sprintf("the stream is longer than %d bytes, with %d tokens asked", limit, b.tokens))
	}
	return nil
}

// tooMany returns an excess if a stream has more events than the tokens asked can explain.
func tooMany(events, tokens int) error {
	if limit := maxEvents + maxEventsPerToken*tokens; events > limit {
		return excess(fmt.Sprintf("the stream has more than %d events, with %d tokens asked", limit, tokens))
	}
	return nil
}
