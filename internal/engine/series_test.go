package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSeries(t *testing.T) {
	read := func(started, tokens float64) *Snapshot {
		return &Snapshot{Engines: 1, Started: started, Counters: Counters{PromptTokens: known(tokens)}}
	}
	const a, b, c = 5, 6, 7 // start times of processes; 0: not told
	for _, tt := range []struct {
		name    string
		reads   Series
		tokens  Value
		several bool
		why     string
	}{
		{"one process", Series{read(a, 10), read(a, 15), read(a, 30)}, known(20), false, ""},
		{"one that does not tell when it began", Series{read(0, 10), read(0, 15), read(0, 30)}, known(20), false, ""},
		{"started anew", Series{read(a, 10), read(b, 1), read(b, 30)}, Value{}, false, "the server was started anew"},
		{"started anew, three times", Series{read(a, 10), read(b, 1), read(c, 0), read(9, 0)}, Value{}, false, "the server was started anew"},
		{"counters began anew and passed their old values", Series{read(0, 10), read(0, 5), read(0, 30)}, Value{}, false, "the server's counter of prompt tokens went backwards"},
		{"two processes", Series{read(a, 10), read(b, 4), read(a, 10)}, Value{}, true, "the counters are not of one process"},
		{"three processes", Series{read(a, 10), read(b, 4), read(c, 3), read(b, 4)}, Value{}, true, "the counters are not of one process"},
		{"two that do not tell when they began", Series{read(0, 10), read(0, 4), read(0, 10), read(0, 5)}, Value{}, true, "the counters are not of one process"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.reads[len(tt.reads)-1].At = tt.reads[0].At.Add(time.Second)
			assert.Equal(t, Delta{Elapsed: time.Second, Counters: Counters{PromptTokens: tt.tokens}, Reset: tt.why != "" && !tt.several, Several: tt.several, Why: tt.why}, tt.reads.Delta())
		})
	}
}
