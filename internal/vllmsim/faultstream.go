package vllmsim

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// A piece is a part of a stream on its way to the wire.
type piece struct {
	kind   pieceKind
	data   []byte
	tokens int  // that it bears
	sent   int  // tokens passed on before it; -1 for a role that comes first
	more   bool // the next piece is ready: both go out in one write
}

type pieceKind int

const (
	openingPiece pieceKind = iota
	tokenPiece
	usagePiece
	donePiece
	strayPiece // of a fault
)

// A sink takes pieces in order. A stage is a sink before another one: it
// changes, drops, delays or adds pieces, or ends the stream with one of the errors below.
type (
	sink  func(piece) error
	stage func(next sink) sink
)

var (
	errEnded = errors.New("the answer ends here in good form")
	errCut   = errors.New("the connection is closed here")
	errLeft  = errors.New("the client has left, or the server stops")
)

// stream is Server.stream through the stages. It reports whether all tokens
// that the engine produces were passed on.
func (x *exchange) stream(e *events, j *job, a answer, g *generation) (complete bool) {
	if x.zipped {
		z := gzip.NewWriter(x.w)
		flush := e.flush
		e.w, e.flush = z, func() error { return errors.Join(z.Flush(), flush()) }
		x.w.Header().Set("Content-Encoding", "gzip")
		defer z.Close()
	}
	x.truth.Status, x.truth.PromptTokens = http.StatusOK, len(g.prompt)
	x.events = e
	if e.send() != nil { // the header
		x.err = errLeft
		return false
	}
	out := sink(x.put)
	for _, s := range slices.Backward(x.stages) {
		out = s(out)
	}
	if x.err = x.generate(j, a, g, out); x.err == nil {
		x.err = x.flush() // what a burst still holds back
	}
	x.truth.Generated = int(j.produced.Load())
	return x.err == nil
}

// generate makes the pieces of a whole stream, as they become ready. Without a
// stage they leave in the same writes as on a server without faults.
func (x *exchange) generate(j *job, a answer, g *generation, out sink) error {
	join := min(max(1, x.join), g.maxTokens)
	if !x.openAtOnce && !x.s.await(x.ctx(), j, join) {
		return errLeft
	}
	if opening := a.appendOpening(nil); len(opening) > 0 {
		p := piece{kind: openingPiece, data: opening, more: true}
		if x.openAtOnce {
			p.sent, p.more = -1, false
		}
		if err := out(p); err != nil {
			return err
		}
	}
	for sent := 0; sent < g.maxTokens; {
		next := min(sent+join, g.maxTokens)
		if !x.s.await(x.ctx(), j, next) {
			return errLeft
		}
		p := piece{kind: tokenPiece, data: a.appendTokens(nil, sent, next), tokens: next - sent, sent: sent, more: next == g.maxTokens}
		if err := out(p); err != nil {
			return err
		}
		sent = next
	}
	if g.includeUsage {
		if err := out(piece{kind: usagePiece, data: a.appendUsage(nil), sent: g.maxTokens, more: true}); err != nil {
			return err
		}
	}
	return out(piece{kind: donePiece, data: []byte(doneEvent), sent: g.maxTokens})
}

// put is the last sink: the wire.
func (x *exchange) put(p piece) error {
	x.events.buf = append(x.events.buf, p.data...)
	if p.tokens > 0 {
		x.unsent = append(x.unsent, p.tokens)
	}
	if p.more {
		return nil
	}
	return x.flush()
}

// flush writes what put has held back.
func (x *exchange) flush() error {
	if len(x.events.buf) == 0 {
		return nil
	}
	began := time.Now()
	err := x.write()
	ended := time.Now()
	if err != nil {
		return errLeft
	}
	for _, n := range x.unsent {
		x.truth.Events = append(x.truth.Events, Sent{Tokens: n, Began: began, Ended: ended})
	}
	x.unsent = x.unsent[:0]
	return nil
}

// cutPause keeps the parts of an event apart, so that they arrive by themselves.
const cutPause = 100 * time.Microsecond

// write sends the buffer, in as many parts as the split fault wants, which
// then are cut without regard to characters, lines and chunks.
func (x *exchange) write() error {
	w := x.raw()
	if x.split < 2 || w == nil {
		return x.events.send()
	}
	rest := chunked(x.events.buf)
	x.events.buf = x.events.buf[:0]
	for parts := x.split; parts > 0 && len(rest) > 0; parts-- {
		n := len(rest)
		if parts > 1 {
			n = 1 + x.random.IntN(min(n, 2*n/parts))
		}
		if _, err := w.Write(rest[:n]); err != nil {
			return err
		}
		if rest = rest[n:]; len(rest) > 0 {
			time.Sleep(cutPause)
		}
	}
	return nil
}

// raw is the connection below net/http, for bytes that it would not write, or
// nil if the answer is not made of HTTP/1.1's chunks. What net/http holds must have been flushed.
func (x *exchange) raw() io.Writer {
	if x.conn == nil || x.zipped || !x.r.ProtoAtLeast(1, 1) || x.r.ProtoMajor > 1 {
		return nil
	}
	return x.conn
}

// chunked is b as a chunk of HTTP/1.1.
func chunked(b []byte) []byte {
	return append(append(fmt.Appendf(nil, "%x\r\n", len(b)), b...), "\r\n"...)
}

// before adds a stage that does something once, at f's place in the stream:
// before p, with all that comes earlier on the wire.
func (x *exchange) before(f Fault, do func(p piece, next sink) error) {
	x.stages = append(x.stages, func(next sink) sink {
		due := true
		return func(p piece) error {
			if due && f.due(p) {
				due = false
				if err := x.flush(); err != nil {
					return err
				}
				if err := do(p, next); err != nil {
					return err
				}
			}
			return next(p)
		}
	})
}

// change adds a stage that changes each piece.
func (x *exchange) change(do func(p *piece)) {
	x.stages = append(x.stages, func(next sink) sink {
		return func(p piece) error {
			do(&p)
			return next(p)
		}
	})
}
