package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSince(t *testing.T) {
	t0 := time.Unix(1000, 0)
	before := &Snapshot{At: t0, Engines: 1, Started: 5, Created: 6, Counters: Counters{
		Finished: map[string]float64{"length": 4}, Requests: known(4),
		PromptTokens: known(100), GenerationTokens: known(50), PrefixHits: known(16), ITL: Hist{1, 40, true},
	}}
	after := &Snapshot{At: t0.Add(time.Second), Engines: 1, Started: 5, Created: 6, Counters: Counters{
		Finished: map[string]float64{"length": 9, "abort": 1}, Requests: known(10),
		PromptTokens: known(300), GenerationTokens: known(90), PrefixHits: known(16), Preemptions: known(2), ITL: Hist{2.5, 70, true},
	}}
	assert.Equal(t, Delta{Elapsed: time.Second, Counters: Counters{
		Finished: map[string]float64{"length": 5, "abort": 1}, Requests: known(6),
		PromptTokens: known(200), GenerationTokens: known(40), PrefixHits: known(0),
		Preemptions: Value{}, // unknown before
		ITL:         Hist{1.5, 30, true},
	}}, after.Since(before))
}

func TestSinceAcrossAReset(t *testing.T) {
	base := Snapshot{Engines: 2, Started: 5, Created: 6, Counters: Counters{PromptTokens: known(100), TTFT: Hist{1, 4, true}}}
	for name, c := range map[string]struct {
		change func(*Snapshot)
		why    string
	}{
		"unchanged":              {func(*Snapshot) {}, ""},
		"start time not offered": {func(s *Snapshot) { s.Started, s.Created, s.Engines = 0, 0, 0 }, ""},
		"wall clock set back":    {func(s *Snapshot) { s.TTFT.Sum = 0.5 }, ""},
		"other process":          {func(s *Snapshot) { s.Started = 7 }, "the server was started anew"},
		"counters created anew":  {func(s *Snapshot) { s.Created = 7 }, "the server was started anew"},
		"an engine gone":         {func(s *Snapshot) { s.Engines = 1 }, "2 engines reported before and 1 after"},
		"counter backwards":      {func(s *Snapshot) { s.PromptTokens.N = 99 }, "the server's counter of prompt tokens went backwards"},
		"histogram backwards":    {func(s *Snapshot) { s.TTFT.Count = 3 }, "the server's counter of TTFT went backwards"},
	} {
		t.Run(name, func(t *testing.T) {
			after := base
			c.change(&after)
			d := after.Since(&base)
			assert.Equal(t, c.why, d.Why)
			assert.Equal(t, c.why != "", d.Reset)
			if d.Reset {
				assert.Equal(t, Counters{}, d.Counters)
			} else {
				assert.Equal(t, known(0), d.PromptTokens)
				assert.Equal(t, name != "wall clock set back", d.TTFT.Known)
			}
		})
	}
}
