package bench

import (
	"cmp"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRealServerPrefix holds what the prefix cache of a real vLLM finds to what prompts
// were made for, within a block a request.
func TestRealServerPrefix(t *testing.T) {
	if flags.url == "" {
		t.Skip("no server is named: make test-vllm starts a vLLM on this machine's CPU, -url or VLLM_BASE_URL names another")
	}
	key := cmp.Or(flags.apiKey, os.Getenv("VLLM_API_KEY"))
	c, rows, reqs := recordOf(t, "-test.bench=Prefix|Turns", "-test.benchtime=2x", "-url="+flags.url, "-model="+flags.model, "-api-key="+key,
		"-salts=run,request", "-think=100ms", "-output=20", "-require-ledger")
	t.Log("\n" + c.all())
	assert.Zero(t, c.status())
	require.Len(t, rows, 7)
	shared := 0
	for i, row := range rows {
		balanced(t, &row)
		a := hits(t, row)
		t.Logf("%-32s %3d requests, hits expected %6.0f, counted %6.0f, within %6.0f", row.Name, len(reqs[i]), a.Ours, a.Server, a.Within)
		assert.InDelta(t, a.Ours, a.Server, a.Within, row.Name)
		if a.Ours > 0 {
			shared++
		}
	}
	assert.Equal(t, 3, shared, "two shares with one salt for all, and conversations")
}
