package vllmsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// This file is what the faults of faulttable.go do.

const (
	doneEvent   = "data: [DONE]\n\n"
	pingComment = ": ping\n\n"
	engineDied  = "EngineCore encountered an issue. See stack trace (above) for the root cause."
)

func stallHeader(x *exchange, f Fault) error { return x.sleep(f.wait) }

// goAway answers with an empty SETTINGS frame and with GOAWAY for the error
// HTTP_1_1_REQUIRED (RFC 9113, sections 6.5, 6.8 and 7).
func goAway(x *exchange, _ Fault) error {
	if w := x.raw(); w != nil {
		_, _ = w.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00" + // the connection closes anyway
			"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x0d"))
	}
	return errCut
}

// bodies are the shapes of an error's body, with its media type.
var bodies = map[string]func(e *apiError) (media, body string){
	"":        newShape,
	"new":     newShape,
	"old":     func(e *apiError) (string, string) { return "application/json", oldError(e) },
	"text":    func(e *apiError) (string, string) { return "text/plain; charset=utf-8", http.StatusText(e.Code) },
	"nothing": func(*apiError) (string, string) { return "text/plain; charset=utf-8", "" },
	"html": func(e *apiError) (string, string) {
		title := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
		return "text/html", "<html>\r\n<head><title>" + title + "</title></head>\r\n<body><h1>" + title + "</h1></body>\r\n</html>\r\n"
	},
}

func newShape(e *apiError) (string, string) {
	return "application/json", marshal(map[string]*apiError{"error": e})
}

// oldError is the body of vLLM up to 0.10.
func oldError(e *apiError) string {
	return marshal(struct {
		Object string `json:"object"`
		*apiError
	}{"error", e})
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here
	}
	return string(b)
}

func answerStatus(x *exchange, f Fault) error {
	_, shape, _ := strings.Cut(f.value, "/")
	media, body := bodies[shape](&apiError{Message: "vllmsim: a fault was asked for", Type: "Fault", Code: f.n})
	x.w.Header().Set("Content-Type", media)
	x.w.WriteHeader(f.n)
	_, _ = x.w.Write([]byte(body)) // an error means that the client has gone
	x.truth.Status, x.truth.End = f.n, Refused
	return errEnded
}

func otherLength(x *exchange, f Fault) error {
	x.asks = append(x.asks, func(g *generation) {
		g.maxTokens = max(1, min(g.maxTokens+f.n, x.s.MaxModelLen-len(g.prompt)))
		if f.n < 0 {
			g.finish = `"stop"`
		}
	})
	return nil
}

func fixedPrompt(x *exchange, _ Fault) error {
	x.asks = append(x.asks, func(g *generation) { g.prompt, g.salt = somePrompt(len(g.prompt)), "" })
	return nil
}

func somePrompt(n int) []int32 {
	prompt := make([]int32, n)
	for i := range prompt {
		prompt[i] = minWordID
	}
	return prompt
}

func foreign(x *exchange, f Fault) error {
	prompt := somePrompt(min(16, x.s.MaxModelLen-1))
	id := x.s.nextID.Add(1)
	r := NewRequest(id, prompt, min(f.n, x.s.MaxModelLen-len(prompt)), "foreign "+strconv.FormatUint(id, 10))
	x.s.engine.submit(newJob(r)) // which nobody reads
	return nil
}

func miscounted(family string) func(*exchange, Fault) error {
	return func(x *exchange, f Fault) error {
		x.s.page.add(family, float64(f.n))
		return nil
	}
}

func restart(x *exchange, f Fault) error {
	x.before(f, func(piece, sink) error { return x.s.restartCounters() })
	return nil
}

func finish(x *exchange, f Fault) error {
	x.asks = append(x.asks, func(g *generation) {
		if g.finish = "null"; f.value != "none" {
			g.finish = `"` + f.value + `"`
		}
	})
	return nil
}

func usageOff(of func(*looks) *int) func(*exchange, Fault) error {
	return func(x *exchange, f Fault) error {
		x.asks = append(x.asks, func(g *generation) { *of(&g.looks) += f.n })
		return nil
	}
}

func usage(x *exchange, f Fault) error {
	x.stages = append(x.stages, func(next sink) sink {
		var late *piece
		return func(p piece) error {
			switch {
			case p.kind == usagePiece:
				late = &p
				return nil
			case p.kind != donePiece || late == nil || f.value == "none":
				return next(p)
			}
			p.more, late.more = true, false
			if err := next(p); err != nil {
				return err
			}
			return next(*late)
		}
	})
	return nil
}

func join(x *exchange, f Fault) error {
	x.join = f.n
	return nil
}

func emptyText(x *exchange, f Fault) error {
	x.asks = append(x.asks, func(g *generation) {
		word := g.text
		g.text = func(b []byte, i int, id int32) []byte {
			if (i+1)%f.n == 0 {
				return b
			}
			return orWord(word, b, i, id)
		}
	})
	return nil
}

func utf8Text(x *exchange, _ Fault) error {
	letters := []string{" Größe", " 面白い", " \U0001F600"}
	x.asks = append(x.asks, func(g *generation) {
		g.text = func(b []byte, i int, _ int32) []byte { return append(b, letters[i%len(letters)]...) }
	})
	return nil
}

func reasoning(x *exchange, f Fault) error {
	x.asks = append(x.asks, func(g *generation) { g.thinking, g.thoughts = f.value, (g.maxTokens+1)/2 })
	return nil
}

func roleFirst(x *exchange, _ Fault) error {
	x.openAtOnce = true
	return nil
}

func swallow(x *exchange, f Fault) error {
	x.stages = append(x.stages, func(next sink) sink {
		return func(p piece) error {
			if p.kind == tokenPiece && p.sent >= f.at && p.sent < f.at+f.n {
				return nil
			}
			return next(p)
		}
	})
	return nil
}

func stall(x *exchange, f Fault) error {
	x.before(f, func(piece, sink) error { return x.sleep(f.wait) })
	return nil
}

func resetLater(x *exchange, f Fault) error {
	x.before(f, func(piece, sink) error { return x.reset() })
	return nil
}

func cut(x *exchange, f Fault) error {
	x.before(f, func(p piece, _ sink) error {
		switch w := x.raw(); {
		case f.value == "half":
			return x.halfClose()
		case f.value == "inside" && w != nil:
			_, _ = w.Write(chunked(p.data)[:len(p.data)/2]) // the connection closes anyway
		}
		return errCut
	})
	return nil
}

func earlyDone(x *exchange, f Fault) error {
	x.before(f, func(_ piece, next sink) error {
		if err := next(piece{kind: strayPiece, data: []byte(doneEvent)}); err != nil {
			return err
		}
		return errEnded
	})
	return nil
}

func errorEvent(x *exchange, f Fault) error {
	e := &apiError{Message: engineDied, Type: "InternalServerError", Code: http.StatusInternalServerError}
	_, body := newShape(e)
	data := "data: " + body
	switch f.value {
	case "old":
		data = "data: " + oldError(e)
	case "string":
		data = "data: " + marshal(map[string]string{"error": engineDied})
	case "comment":
		data = ": ping\n" + data
	case "event":
		data = "event: error\n" + data
	}
	switch f.value {
	case "bare":
	case "undone":
		data += "\n\n"
	default:
		data += "\n\n" + doneEvent
	}
	x.before(f, func(_ piece, next sink) error {
		if err := next(piece{kind: strayPiece, data: []byte(data)}); err != nil {
			return err
		}
		return errEnded
	})
	return nil
}

func comments(x *exchange, f Fault) error {
	lines := bytes.Repeat([]byte(pingComment), f.n)
	x.change(func(p *piece) { p.data = append(lines[:len(lines):len(lines)], p.data...) })
	return nil
}

func crlf(x *exchange, _ Fault) error {
	x.change(func(p *piece) { p.data = bytes.ReplaceAll(p.data, []byte("\n"), []byte("\r\n")) })
	return nil
}

func burst(x *exchange, f Fault) error {
	n := 0
	x.change(func(p *piece) {
		n++
		p.more = p.more || n%f.n != 0 && p.kind < donePiece
	})
	return nil
}

// slowEnd waits between [DONE] and the end of the handler, where net/http
// writes the last chunk.
func slowEnd(x *exchange, f Fault) error {
	x.stages = append(x.stages, func(next sink) sink {
		return func(p piece) error {
			err := next(p)
			if err == nil && p.kind == donePiece {
				err = x.sleep(f.wait)
			}
			return err
		}
	})
	return nil
}
