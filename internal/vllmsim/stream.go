package vllmsim

import (
	"context"
	"io"
	"net/http"
	"time"
)

// serve answers a generation request from its first byte to its last. A client
// that leaves before takes its request with it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, g *generation, build func(*generation, *job, string) answer) {
	x := exchangeOf(r)
	x.ask(g)
	j := newJob(NewRequest(s.nextID.Add(1), g.prompt, g.maxTokens, g.salt))
	j.Priority = g.priority
	a := build(g, j, g.modelJSON)
	s.door.pass()
	s.engine.submit(j)
	var complete bool
	if g.stream {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		e := &events{w: w, flush: http.NewResponseController(w).Flush}
		if x != nil {
			complete = x.stream(e, j, a, g)
		} else {
			complete = e.send() == nil && s.stream(r.Context(), e, j, a, g)
		}
	} else {
		if complete = s.await(r.Context(), j, g.maxTokens); complete {
			writeBody(w, http.StatusOK, a.appendWhole(nil))
		}
		x.answered(j, complete)
	}
	if !complete {
		s.engine.abort(j)
	}
}

// stream sends tokens as they are produced: all events that are due since the
// last time in one write, which is one event unless the client is slow to read.
func (s *Server) stream(ctx context.Context, e *events, j *job, a answer, g *generation) bool {
	e.buf = a.appendOpening(e.buf)
	for sent := 0; sent < g.maxTokens; {
		if !s.await(ctx, j, g.eventEnd(sent)) {
			return false
		}
		for produced := int(j.produced.Load()); sent < g.maxTokens && g.eventEnd(sent) <= produced; {
			from := sent
			sent = g.eventEnd(sent)
			e.buf = a.appendTokens(e.buf, from, sent)
		}
		if sent == g.maxTokens {
			if g.includeUsage {
				e.buf = a.appendUsage(e.buf)
			}
			e.buf = append(e.buf, doneEvent...)
		}
		due := time.Unix(0, j.due.Load())
		if e.send() != nil {
			return false
		}
		s.metrics.flushLateness.Observe(time.Since(due).Seconds())
	}
	return true
}

const doneEvent = "data: [DONE]\n\n"

// await waits until n tokens of j are produced, or returns false when the
// client leaves first. When the server stops first, the connection is cut.
func (s *Server) await(ctx context.Context, j *job, n int) bool {
	for int(j.produced.Load()) < n {
		select {
		case <-j.wake:
		case <-ctx.Done():
			return false
		case <-s.engine.stopped:
			panic(http.ErrAbortHandler)
		}
	}
	return true
}

// events is the one place where bytes of a stream leave the server.
type events struct {
	w     io.Writer
	flush func() error
	buf   []byte
}

// send writes and empties the buffer; with nothing in it, the headers go out.
func (e *events) send() error {
	if _, err := e.w.Write(e.buf); err != nil {
		return err
	}
	e.buf = e.buf[:0]
	return e.flush()
}
