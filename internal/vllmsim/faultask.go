package vllmsim

import "strconv"

// What faults do to a request, and to how its answer looks.

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
