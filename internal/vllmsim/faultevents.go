package vllmsim

import "bytes"

// What faults do to a stream's events on their way out.

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

func comments(x *exchange, f Fault) error {
	lines := bytes.Repeat([]byte(": ping\n\n"), f.n)
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
			if err := next(p); err != nil || p.kind != donePiece {
				return err
			}
			if err := x.flush(); err != nil {
				return err
			}
			return x.sleep(f.wait)
		}
	})
	return nil
}
