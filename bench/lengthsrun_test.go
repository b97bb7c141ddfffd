package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/lengths"
	"vllmbench/internal/measure"
)

const mixed = "prompt=lognormal:20:0.6:100,output=uniform:3-9"

// pairsOf are the lengths of a record's requests, in order.
func pairsOf(rs []client.Result) (out []lengths.Pair) {
	for _, r := range rs {
		out = append(out, lengths.Pair{Prompt: r.PromptTokens, Output: r.OutputTokens})
	}
	return out
}

// TestSameSeedSameLengths sends the same lengths twice by one seed, others by
// another, and in each cell from the first on, whatever came before.
func TestSameSeedSameLengths(t *testing.T) {
	t.Parallel()
	args := []string{"-test.bench=Latency|Arrivals", "-rates=40", "-test.benchtime=12x", "-lengths=" + mixed, "-slo=ttft:10s"}
	c, rows, first := recordOf(t, args...)
	assert.Zero(t, c.status(), c.all())
	_, _, again := recordOf(t, append(args, "-warmup=3")...)
	_, _, other := recordOf(t, append(args, "-seed=2")...)
	require.Len(t, rows, 2)
	for i, row := range rows {
		balanced(t, &row)
		n := min(len(first[i]), len(again[i]), len(other[i]))
		require.GreaterOrEqual(t, n, 12, row.Name)
		assert.Equal(t, pairsOf(first[i][:n]), pairsOf(again[i][:n]), row.Name)
		assert.NotEqual(t, pairsOf(first[i][:n]), pairsOf(other[i][:n]), row.Name)
	}
	assert.Equal(t, pairsOf(first[0][:12]), pairsOf(first[1][:12]), "each cell begins with the first")

	var spec lengths.Spec
	require.NoError(t, spec.Set(mixed))
	s := lengths.NewSequence(spec.Prompt, spec.Output, nil, 1)
	for i, p := range pairsOf(first[0]) {
		assert.Equal(t, s.At(uint64(i)), p)
	}
	for _, r := range c.results() {
		assert.Contains(t, r.GetConfig("workload"), "prompt=lognormal:20:0.6:1-100/output=uniform:3-9 by seed 1 unless named")
	}
}

// TestLengthsOfAFile sends each pair once around, in streams that ask for them in turns.
func TestLengthsOfAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pairs.csv")
	require.NoError(t, os.WriteFile(path, []byte("prompt,output\n10,3\n20,4\n30,5\n40,6\n"), 0o666))
	c, rows, reqs := recordOf(t, "-test.bench=Throughput|SeqLen", "-batches=2", "-prompts=7", "-outputs=5", "-test.benchtime=6x", "-lengths=file="+path)
	assert.Zero(t, c.status(), c.all())
	for i, row := range rows {
		if row.Experiment == "seqlen" {
			assert.Equal(t, lengths.Pair{Prompt: 7, Output: 5}, pairsOf(reqs[i])[0], "lengths are this experiment's own axes")
			continue
		}
		assert.Equal(t, 25, row.PromptTokens)
		counts := map[lengths.Pair]int{}
		for _, p := range pairsOf(reqs[i]) {
			counts[p]++
		}
		assert.Len(t, counts, 4)
		for p, n := range counts {
			assert.InDelta(t, float64(len(reqs[i]))/4, n, 1, "%v", p)
		}
	}
	assert.Contains(t, c.stdout.String(), "pairs.csv (4 pairs, on average prompt=25/output=5) by seed 1 unless named")
}

func TestLengthsRefuses(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"-prompt and -lengths both say how long a request's prompt is": {"-lengths=prompt=3", "-prompt=4"},
		"-output and -lengths both say":                                {"-lengths=file=x", "-output=4"},
		`"prompts" is neither prompt, output nor file`:                 {"-lengths=prompts=3"},
		"-lengths: open ": {"-lengths=file=/none"},
		"the longest of -lengths make 40100 tokens, but the context": {"-lengths=prompt=uniform:1-40000"},
	} {
		c := runChild(t, append(args, "-test.bench=Latency")...)
		assert.NotZero(t, c.status(), says)
		assert.Contains(t, c.stderr.String(), says)
	}
}

func TestVaries(t *testing.T) {
	assert.False(t, varies(measure.Cell{Experiment: "latency"}), "-lengths names nothing here")
}
