package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

func turnsArgs(more ...string) []string {
	return append([]string{"-test.bench=Turns", "-turns=3", "-users=2", "-think=30ms", "-prompt=40", "-output=8"}, more...)
}

// TestTurns holds conversations whose every turn finds all before it in the cache.
func TestTurns(t *testing.T) {
	t.Parallel()
	c, rows, reqs := recordOf(t, turnsArgs("-test.benchtime=2x")...)
	assert.Zero(t, c.status(), c.all())
	require.Equal(t, []string{"Turns/turns=3/users=2"}, c.cells())
	assert.Equal(t, []string{"each prompt is all that was said before and 40 new tokens; 30ms between an answer and the next request, which counts for no metric of the client"}, c.comments("turns: "))
	row := rows[0]
	balanced(t, &row)
	assert.Equal(t, 88, row.PromptTokens, "of 40, 88 and 136")

	byTurn := map[int]int{}
	expected := 0
	for _, r := range reqs[0] {
		byTurn[r.Turn]++
		assert.Equal(t, 40*r.Turn+8*(r.Turn-1), r.PromptTokens)
		assert.Equal(t, max(0, r.PromptTokens-41), r.Seen, "all but the new tokens and the last one generated, which the server never computed")
		assert.Empty(t, r.OutputIDs, "not in the record")
		expected += r.Seen / 16 * 16
	}
	for turn := 1; turn <= 3; turn++ {
		assert.InDelta(t, float64(len(reqs[0]))/3, byTurn[turn], 4, "turn %d", turn)
		_, ok := row.Value(measure.TurnTTFT(turn))
		assert.True(t, ok || leftOut(row, measure.TurnTTFT(turn)), turn)
	}
	assert.Len(t, byTurn, 3)
	a := hits(t, row)
	assert.EqualValues(t, expected, a.Ours)
	assert.Equal(t, a.Ours, a.Server)
	turnaround, _ := row.Value("turnaround-%")
	assert.Less(t, turnaround, 20.0, "the pause is the user's, not the client's: 30 ms are over 40 %% of a request here")
}

// leftOut says whether the row names the metric with a reason.
func leftOut(row measure.Row, metric string) bool {
	for _, l := range row.LeftOut {
		if l.Metric == metric {
			return true
		}
	}
	return false
}

// Each user waits behind each answer.
func TestTurnsThink(t *testing.T) {
	t.Parallel()
	_, _, reqs := recordOf(t, turnsArgs("-users=1", "-think=50ms")...)
	for i, r := range reqs[0] {
		if i > 0 {
			assert.GreaterOrEqual(t, r.Sent-reqs[0][i-1].End, 50*time.Millisecond)
		}
		assert.Equal(t, i%3+1, r.Turn)
	}
}

// TestTurnsWithoutIDs is a server that does not list the ids of its answers.
func TestTurnsWithoutIDs(t *testing.T) {
	t.Parallel()
	deaf := proxy{ask: func(body []byte) []byte {
		return bytes.ReplaceAll(body, []byte(`"return_token_ids":true`), []byte(`"return_token_ids":null`))
	}}
	c := runChild(t, turnsArgs("-url="+deaf.before(t, simulate(t, vllmsim.Config{})))...)
	assert.NotZero(t, c.status())
	assert.Contains(t, c.all(), "warm-up: the server listed the ids of 0 of its 8 tokens (return_token_ids), and a conversation goes on with all of them")
}

// TestTurnsEvicted is a cache too small for all conversations: the row says that what was
// said before was not found.
func TestTurnsEvicted(t *testing.T) {
	t.Parallel()
	c := runChild(t, turnsArgs("-users=6", "-think=0s", "-prompt=200", "-test.benchtime=2x",
		"-url="+simulate(t, vllmsim.Config{NumGPUBlocksOverride: 60, MaxModelLen: 800}))...)
	assert.Regexp(t, `prefix cache hits: \d+ prompt tokens, where \d+ were expected by design, within \d+ \(a block a request\): does something else fill the cache, or is it too small`, voided(t, c))
}

func TestTurnsRefuses(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"-turns and -think are 0 and 30ms":                             {"-turns=0"},
		"-turns and -think are 3 and -1s":                              {"-think=-1s"},
		"conversations need prompts of token ids":                      {"-endpoint=chat"},
		"conversations need a server that lists the ids of its answer": {"-extensions=off"},
		"skipped Turns/turns=3000/users=2: it needs 144000 tokens":     {"-turns=3000"},
	} {
		c := runChild(t, turnsArgs(args...)...)
		assert.NotZero(t, c.status(), says)
		assert.Contains(t, c.all(), says)
	}
}
