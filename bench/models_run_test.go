package bench

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

func TestShares(t *testing.T) {
	for text, want := range map[string]shares{
		"a,b":               {{"a", 1}, {"b", 1}},
		"a:3, b:1":          {{"a", 3}, {"b", 1}},
		"llama3:8b,q:1.5:2": {{"llama3:8b", 1}, {"q:1.5", 2}},
	} {
		var got shares
		require.NoError(t, got.Set(text), text)
		assert.Equal(t, want, got, text)
		var again shares
		require.NoError(t, again.Set(got.String()))
		assert.Equal(t, got, again)
	}
	for text, want := range map[string]string{
		"":            `"" names no model: write them as a,b or a:3,b:1`,
		"a,":          `"" names no model: write them as a,b or a:3,b:1`,
		"a:0":         "the share of a is 0: name a number above 0",
		"a,b,a":       "a is named twice: name it once, with its share",
		"a:900,b:101": "the shares add up to 1001: name smaller ones, of at most 1000 in all",
	} {
		assert.EqualError(t, new(shares).Set(text), want)
	}
}

func FuzzShares(f *testing.F) {
	f.Add("a:3,b")
	f.Add("llama3:8b:2")
	f.Fuzz(func(t *testing.T, text string) {
		var s shares
		if s.Set(text) != nil {
			return
		}
		sum := 0
		for _, one := range s {
			assert.NotEmpty(t, one.model)
			assert.Positive(t, one.parts)
			sum += one.parts
		}
		assert.LessOrEqual(t, sum, maxShares)
	})
}

func TestMix(t *testing.T) {
	all := shares{{"a", 3}, {"b", 1}, {"c", 1}}
	draw := func(seed uint64) (out []string) {
		m := all.mix(seed)
		for range 1000 {
			out = append(out, m.next())
		}
		return out
	}
	one := draw(1)
	assert.Equal(t, one, draw(1), "the seed fixes the order")
	assert.NotEqual(t, one, draw(2))
	for block := range slices.Chunk(one, 5) {
		slices.Sort(block)
		assert.Equal(t, []string{"a", "a", "a", "b", "c"}, block, "shares hold in every block")
	}
	assert.Empty(t, shares(nil).mix(1).next())
}

// TestModels sends to a model and two of its adapters, whose requests the
// server counts under the model's name.
func TestModels(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{EnableLoRA: true, LoRAModules: []vllmsim.LoRAAdapter{{Name: "sql", Path: "/sql"}, {Name: "law", Path: "/law"}}})
	dir := filepath.Join(t.TempDir(), "run")
	c := runChild(t, tiny("-url="+url, "-models=Qwen/Qwen2.5-7B:2,sql,law", "-require-ledger", "-test.bench=Throughput", "-batches=4", "-test.benchtime=5x", "-record="+dir)...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"Qwen/Qwen2.5-7B 50 %, sql 25 %, law 25 % of the requests, in an order by -seed; rows and ledger are of all together; under load the order alone tells models apart, so compare them over many rounds (-count)"}, c.comments("models: "))
	by := c.comments("models in Throughput/batch=4: ")
	require.Len(t, by, 1)
	assert.Regexp(t, `^Qwen/Qwen2.5-7B \d+ requests, median TTFT [\d.]+ \[[\d.]+, [\d.]+\] ms; law \d requests, median TTFT [\d.]+( \[[\d.]+, [\d.]+\])? ms; sql \d requests, .* ms$`, by[0])

	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	require.Len(t, run.Rows, 1)
	balanced(t, &run.Rows[0].Measured)
	counts := map[string]int{}
	all := requests(t, run, 0)
	for _, r := range all {
		counts[r.Model]++
	}
	assert.ElementsMatch(t, []string{"Qwen/Qwen2.5-7B", "sql", "law"}, slices.Collect(maps.Keys(counts)))
	for model, share := range map[string]int{"Qwen/Qwen2.5-7B": 2, "sql": 1, "law": 1} {
		assert.InDelta(t, share*len(all)/4, counts[model], 2, model)
	}
}

func TestModelThatIsNotServed(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{})
	c := runChild(t, tiny("-url="+url, "-models=sql")...)
	assert.Equal(t, 1, c.status())
	assert.Equal(t, `vllmbench: model "sql" is not served at `+url+", which serves Qwen/Qwen2.5-7B: choose one with -model or -models\n", c.stderr.String())
	assert.Empty(t, strings.TrimSpace(c.stdout.String()))
}
