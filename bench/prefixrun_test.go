package bench

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

// recordOf runs an experiment with a record, and returns the rows and the requests of each.
func recordOf(t *testing.T, args ...string) (*child, []measure.Row, [][]client.Result) {
	t.Helper()
	return recordChild(t, append(args, busyClient)...)
}

// hits is the row's account of the prefix cache.
func hits(t *testing.T, row measure.Row) measure.Account {
	t.Helper()
	for _, a := range row.Ledger {
		if a.Name == "prefix cache hits" {
			return a
		}
	}
	require.Fail(t, "no account of the prefix cache", row.Name)
	return measure.Account{}
}

func prefixArgs(more ...string) []string {
	return append([]string{"-test.bench=Prefix", "-prefix-prompt=200", "-prefix-batch=2", "-output=4"}, more...)
}

// TestPrefix finds what prompts have in common, in whole blocks, and nothing
// where each request has a salt of its own.
func TestPrefix(t *testing.T) {
	t.Parallel()
	c, rows, reqs := recordOf(t, prefixArgs("-salts=run,request", "-test.count=2")...)
	assert.Zero(t, c.status(), c.all())
	names := []string{"Prefix/shared=0", "Prefix/shared=0/salt=request", "Prefix/shared=50", "Prefix/shared=50/salt=request", "Prefix/shared=90", "Prefix/shared=90/salt=request"}
	assert.Equal(t, append(names, names...), c.cells())
	each := map[string]int{"Prefix/shared=50": 96, "Prefix/shared=90": 176} // of 100 and 180, in blocks of 16
	require.Len(t, rows, 12)
	for i, row := range rows {
		balanced(t, &row)
		n := each[row.Name]
		a := hits(t, row)
		assert.EqualValues(t, n*len(reqs[i]), a.Ours, row.Name)
		assert.Equal(t, a.Ours, a.Server, row.Name)
		for _, metric := range hitMetrics {
			got, ok := row.Value(metric)
			assert.True(t, ok, metric)
			assert.InDelta(t, float64(n)/2, got, 1e-9, "%s of %s", metric, row.Name)
		}
	}
	for _, r := range c.results() {
		for _, metric := range hitMetrics {
			_, ok := r.Value(metric)
			assert.True(t, ok, "%s is not on the line of %s", metric, r.Name)
		}
	}
	assert.Equal(t, []string{"2 in flight, prompts of 200 tokens, of which the first are common to all of a cell and were sent once before it"}, c.comments("prefix: "))
}

// TestPrefixCachingOff expects nothing of a server that says so.
func TestPrefixCachingOff(t *testing.T) {
	t.Parallel()
	c, rows, _ := recordOf(t, prefixArgs("-shared=50", "-test.count=2", "-url="+simulate(t, vllmsim.Config{NoPrefixCaching: true}))...)
	assert.Zero(t, c.status(), c.all())
	assert.Contains(t, c.comments("prefix: "), "the server's prefix caching is off (enable-prefix-caching), so no hits are expected")
	assert.Len(t, c.comments("prefix: "), 2)
	for _, row := range rows {
		assert.Equal(t, measure.Account{Name: "prefix cache hits", Known: true}, hits(t, row))
	}
}

// TestPrefixOfOtherBlocks takes the server's word for its blocks, and voids the
// row when what was named instead does not hold.
func TestPrefixOfOtherBlocks(t *testing.T) {
	t.Parallel()
	url := "-url=" + simulate(t, vllmsim.Config{BlockSize: 64})
	c, rows, reqs := recordOf(t, prefixArgs("-shared=90", url)...)
	assert.Zero(t, c.status(), c.all())
	assert.EqualValues(t, 128*len(reqs[0]), hits(t, rows[0]).Server)

	c, rows, _ = recordOf(t, prefixArgs("-shared=90", "-prefix-block=16", url)...)
	assert.Regexp(t, `^void: prefix cache hits: \d+ prompt tokens, where \d+ were expected by design, within \d+ \(a block a request\): `, voided(t, c))
	assert.NotEmpty(t, rows[0].Void)
}

// TestPrefixWithoutBlocks is a server that tells neither its block size nor what its cache finds.
func TestPrefixWithoutBlocks(t *testing.T) {
	t.Parallel()
	silent := proxy{refuse: func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path != "/metrics" && r.URL.Path != "/server_info" {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		return true
	}}
	url := "-url=" + silent.before(t, simulate(t, vllmsim.Config{}))
	c := runChild(t, prefixArgs("-shared=50", url)...)
	assert.NotZero(t, c.status())
	assert.Contains(t, c.stdout.String(), "name it by -prefix-block")

	c, rows, _ := recordOf(t, prefixArgs("-shared=50", "-prefix-block=16", url)...)
	assert.Zero(t, c.status(), c.all())
	assert.False(t, hits(t, rows[0]).Known)
	assert.Contains(t, c.stdout.String(), "# left out: prefix-hit-%, prefix-expected-% in every row, because: the server neither counts what its prefix cache finds")
}

func TestPrefixRefuses(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		`"100" is not a number from 0 to 99`:                     {"-shared=100"},
		"50 is named twice":                                      {"-shared=50,50"},
		"-prefix-prompt and -prefix-batch are 0 and 2":           {"-prefix-prompt=0"},
		`-salts is "none": name run, request or run,request`:     {"-salts=none"},
		"-prefix-block is -1":                                    {"-prefix-block=-1"},
		"shared prefixes need prompts of token ids":              {"-endpoint=chat"},
		"-salts=request needs a server that takes cache_salt":    {"-salts=request", "-extensions=off"},
		"skipped Prefix/shared=50: it needs 100004 tokens":       {"-prefix-prompt=100000", "-shared=50"},
		"no cell fits into the server's context of 32768 tokens": {"-prefix-prompt=100000"},
	} {
		c := runChild(t, prefixArgs(args...)...)
		assert.NotZero(t, c.status(), says)
		assert.Contains(t, c.all(), says)
	}
}
