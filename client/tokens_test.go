package client

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/valyala/fastjson"
)

// streamOf parses payloads as if each had come in a read of its own.
func streamOf(payloads ...string) []mark {
	var p fastjson.Parser
	var marks []mark
	for i, s := range payloads {
		marks = append(marks, mark{arrival: arrival{seq: uint64(i + 1)}, chunk: parseChunk(&p, []byte(s))})
	}
	return marks
}

func TestCredit(t *testing.T) {
	const (
		role  = `{"choices":[{"delta":{"role":"assistant","content":""}}]}`
		a     = `{"choices":[{"text":"a"}]}`
		empty = `{"choices":[{"text":""}]}`
		end   = `{"choices":[{"text":"","finish_reason":"stop"}]}`
		ids2  = `{"choices":[{"text":"a","token_ids":[1,2]}]}`
		ids1  = `{"choices":[{"text":"","token_ids":[3]}]}`
		last  = `{"choices":[],"usage":{"completion_tokens":9}}`
	)
	at := func(n int) string {
		return fmt.Sprintf(`{"choices":[{"text":"a"}],"usage":{"completion_tokens":%d}}`, n)
	}
	early := `{"choices":[{"delta":{"role":"assistant","content":""}}],"usage":{"completion_tokens":1}}`
	zero := `{"choices":[{"delta":{"role":"assistant"}}],"usage":{"completion_tokens":0}}`
	tests := []struct {
		name      string
		marks     []mark
		n         int
		want      []int
		estimated bool
	}{
		{"one token an event", streamOf(a, a, a, last), 3, []int{1, 1, 1}, false},
		{"role chunk first", streamOf(role, a, a, last), 2, []int{1, 1}, false},
		{"empty texts are tokens", streamOf(a, empty, a, last), 3, []int{1, 1, 1}, false},
		{"empty text at the end is none", streamOf(a, a, end, last), 2, []int{1, 1}, false},
		{"all texts empty", streamOf(empty, empty, last), 2, []int{1, 1}, false},
		{"ids", streamOf(ids2, ids1, last), 3, []int{2, 1}, false},
		{"continuous, K=N", streamOf(at(1), at(2), at(3), last), 3, []int{1, 1, 1}, false},
		{"continuous, K<N", streamOf(zero, at(4), at(5), at(9), last), 9, []int{4, 1, 4}, false},
		{"continuous, a role is no token", streamOf(early, at(1), at(2), last), 2, []int{1, 1}, false},
		{"continuous, a role is said to be a token more", streamOf(early, at(2), at(3), last), 3, []int{2, 1}, false},
		{"continuous, an event adds nothing", streamOf(at(2), at(2), at(3), last), 3, []int{2, 1}, false},
		{"continuous, K=1", streamOf(at(9), last), 9, []int{9}, false},
		{"usage on the last event only", streamOf(a, a, at(3)), 3, []int{1, 1, 1}, false},
		{"K<N without usage", streamOf(a, a, a, last), 8, []int{3, 3, 2}, true},
		{"K=1 without usage", streamOf(a, last), 8, []int{8}, true},
		{"K>N", streamOf(a, a, a, a), 2, []int{1, 1}, true},
		{"empty texts spread", streamOf(empty, empty), 5, []int{3, 2}, true},
		{"no event", streamOf(last), 9, []int{}, true},
		{"no token", streamOf(a, a), 0, []int{}, false},
		{"less than none", streamOf(a, a), -1, []int{}, true},
		{"more than fits twice", streamOf(a, a), math.MaxInt, []int{math.MaxInt/2 + 1, math.MaxInt / 2}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, estimated := credit(tt.marks, tt.n)
			assert.Equal(t, tt.want, tokens(Result{Events: events}))
			assert.Equal(t, tt.estimated, estimated)
		})
	}
}

// FuzzCredit makes streams of bytes, one an event.
func FuzzCredit(f *testing.F) {
	f.Add([]byte{1, 2, 3}, 3)
	f.Add([]byte{0, 0x42, 0x81, 0xff}, 100)
	f.Fuzz(func(t *testing.T, stream []byte, n int) {
		var marks []mark
		carries, used := false, 0
		for i, b := range stream {
			m := mark{arrival: arrival{seq: uint64(i/2 + 1), at: 1}}
			m.choice, m.bears, m.role, m.usage = b&1 > 0, b&2 > 0, b&4 > 0, b&8 > 0
			m.bears = m.bears && m.choice
			if m.usage {
				used += int(b >> 6)
				m.completion = used
			}
			if m.bears {
				m.ids = int(b>>4) & 3
			}
			carries = carries || m.token()
			marks = append(marks, m)
		}
		events, estimated := credit(marks, n)
		sum := 0
		for _, e := range events {
			assert.Positive(t, e.Tokens)
			sum += e.Tokens
		}
		switch {
		case !estimated || carries && n >= 0:
			assert.Equal(t, n, sum)
		default:
			assert.Zero(t, sum)
		}
		if len(events) > 0 {
			assert.False(t, events[0].Merged)
		}
	})
}

func TestDurations(t *testing.T) {
	none := Result{Sent: 5}
	assert.Zero(t, none.TTFT())
	assert.Zero(t, none.E2E())
	one := Result{Sent: 5, Events: []Event{{At: 25, Tokens: 7}}}
	assert.EqualValues(t, 20, one.TTFT())
	assert.EqualValues(t, 20, one.E2E())
	assert.Zero(t, one.TPOT(), "one event has no interval")
	three := Result{Sent: 5, Events: []Event{{At: 25, Tokens: 7}, {At: 30, Tokens: 1}, {At: 65, Tokens: 3}}}
	assert.EqualValues(t, 60, three.E2E())
	assert.EqualValues(t, 10, three.TPOT(), "(65-25) / (1+3)")
}
