package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Each stream is a conversation whose turn n waits for n x 10 ms; the window holds turns 2 to 4.
func TestTTFTByTurn(t *testing.T) {
	r := clean()
	for s := range r.Streams {
		at := time.Duration(0)
		for i := range r.Streams[s] {
			q := answer(at, time.Duration(i+1)*10*ms, 10*ms, 10)
			q.Turn = i + 1
			r.Streams[s][i] = q
			at = q.End + 100*time.Microsecond
		}
	}
	r.Server = counted(r.Streams)
	r.Window = Window{r.Streams[0][0].Events[9].At, r.Streams[0][3].Events[9].At}
	row := r.Row()
	for turn := 2; turn <= 4; turn++ {
		assert.Equal(t, float64(turn*10*1e6), value(t, row, TurnTTFT(turn)))
	}
	for _, turn := range []int{1, 5, 6, 20} {
		_, shown := row.Value(TurnTTFT(turn))
		assert.False(t, shown, turn)
	}
}

func TestLaterTurnsAreTogether(t *testing.T) {
	r := clean()
	for s := range r.Streams {
		for i := range r.Streams[s] {
			r.Streams[s][i].Turn = 7 + i
		}
	}
	row := r.Row()
	for _, v := range row.Values {
		switch v.Metric {
		case "p50-turn8-ttft-ns":
			assert.Equal(t, 2, v.N)
		case "p50-later-turns-ttft-ns":
			assert.Equal(t, 4, v.N)
		}
	}
	value(t, row, "p50-turn8-ttft-ns")
	value(t, row, "p50-later-turns-ttft-ns")
	assert.Equal(t, "p50-later-turns-ttft-ns", TurnTTFT(9))
}

// A first token that was read together with the second tells no TTFT, of no turn.
func TestTurnsKeepTheRulesOfTTFT(t *testing.T) {
	r := clean()
	for s := range r.Streams {
		for i := range r.Streams[s] {
			r.Streams[s][i].Turn = 2
			r.Streams[s][i].Events[1].Merged = true
		}
	}
	row := r.Row()
	var rule string
	for _, l := range row.LeftOut {
		if l.Metric == "p50-turn2-ttft-ns" {
			rule = l.Rule
		}
	}
	assert.Equal(t, "merged", rule)
}
