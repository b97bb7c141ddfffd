package prompt

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEqualHashesMakeEqualBlocks(t *testing.T) {
	s := fromIDs(t, 300, 1)
	set := s.Set()
	a := set.Blocks([]uint64{7, 8, 9}, 32, 90)
	b := set.Blocks([]uint64{7, 5, 9}, 32, 96)
	assert.Len(t, a.IDs, 90)
	assert.Equal(t, 90, a.Tokens)
	assert.Empty(t, a.Text)
	assert.Equal(t, a.IDs[:32], b.IDs[:32])
	assert.NotEqual(t, a.IDs[32:48], b.IDs[32:48], "another hash")
	assert.Equal(t, a.IDs[64:], b.IDs[64:90], "a partial block is the begin of the whole one")
	assert.Equal(t, a.Salt, s.Next(4).Salt, "one cache for all prompts of a run")
}

func TestBlocksAreNeverEqualBetweenRunsAndSets(t *testing.T) {
	hashes := []uint64{0, 1, 1 << 63}
	a, again := fromIDs(t, 300, 1).Set().Blocks(hashes, 16, 48), fromIDs(t, 300, 1).Set().Blocks(hashes, 16, 48)
	assert.Equal(t, a, again)
	second := fromIDs(t, 300, 1)
	second.Set()
	for _, other := range []Prompt{fromIDs(t, 300, 2).Set().Blocks(hashes, 16, 48), second.Set().Blocks(hashes, 16, 48)} {
		for i := 0; i < 48; i += 16 {
			assert.NotEqual(t, a.IDs[i:i+16], other.IDs[i:i+16])
		}
	}
}

// What no hash names must be new in every prompt, and no block may be the
// begin of a prompt of Next.
func TestWhatNoHashReachesIsNew(t *testing.T) {
	s := fromIDs(t, minIDs, 1)
	set := s.Set()
	seen := map[[16]int]bool{}
	n := 0
	add := func(ids []int) {
		seen[[16]int(ids)] = true
		n++
	}
	for i := range 5000 {
		add(s.Next(16).IDs)
		add(set.Blocks(nil, 16, 16).IDs)
		add(set.Blocks([]uint64{uint64(i)}, 16, 16).IDs)
		add(set.Blocks([]uint64{3}, 16, 32).IDs[16:])
	}
	assert.Len(t, seen, n)
}

func TestBlocksAtTheEdges(t *testing.T) {
	s := fromIDs(t, 100, 1)
	set := s.Set()
	assert.Equal(t, set.Blocks([]uint64{1}, 16, 16).IDs, set.Blocks([]uint64{1, 2, 3}, 16, 16).IDs, "hashes beyond the end")
	assert.Empty(t, set.Blocks([]uint64{1}, 16, 0).IDs)
	assert.Len(t, set.Blocks([]uint64{1}, 0, 20).IDs, 20, "blocks of nothing")
}

func TestTextBlocks(t *testing.T) {
	s, err := FromText(os.DirFS("../../testdata/prompts"), [16]byte{1})
	require.NoError(t, err)
	set := s.Set()
	a, b := set.Blocks([]uint64{1, 2}, 32, 80), set.Blocks([]uint64{1, 3}, 32, 80)
	assert.Zero(t, a.Tokens)
	x, y := strings.Fields(a.Text), strings.Fields(b.Text)
	require.Len(t, x, 80)
	assert.Equal(t, x[:32], y[:32])
	assert.NotEqual(t, x[32:40], y[32:40])
	assert.NotEqual(t, x[64:72], y[64:72])
}

// What is in common, cut to whole blocks and without the last token, must be
// what a cache finds that looks at the tokens themselves.
func TestSeenAgainstACacheOfTokens(t *testing.T) {
	for _, unit := range []int{1, 7, 16, 128} {
		t.Run(fmt.Sprintf("block=%d", unit), func(t *testing.T) {
			set, r := fromIDs(t, 300, byte(unit)).Set(), rand.New(rand.NewPCG(1, uint64(unit)))
			var seen Seen
			cache, total := map[string]bool{}, 0
			for range 300 {
				hashes := make([]uint64, 1+r.IntN(5))
				for i := range hashes {
					hashes[i] = uint64(r.IntN(2)) // few, so that starts repeat
				}
				tokens := 1 + r.IntN(50*len(hashes)+30) // shorter than its hashes, or longer
				hits := min(seen.Add(hashes, 50, tokens), tokens-1) / unit * unit
				require.Equal(t, lookUp(cache, set.Blocks(hashes, 50, tokens).IDs, unit), hits)
				total += hits
			}
			assert.Positive(t, total)
		})
	}
}

// lookUp returns how many tokens of ids are in the cache by whole blocks, and puts them there.
func lookUp(cache map[string]bool, ids []int, unit int) (hits int) {
	found := true
	var text []byte
	for _, id := range ids {
		text = binary.BigEndian.AppendUint16(text, uint16(id))
	}
	for end := unit; end <= len(ids); end += unit {
		key := string(text[:2*end])
		if found = found && cache[key] && end < len(ids); found {
			hits = end
		}
		cache[key] = true
	}
	return hits
}

func TestSeenByHand(t *testing.T) {
	var s Seen
	for i, tt := range []struct {
		hashes []uint64
		tokens int
		want   int
	}{
		{nil, 1000, 0},
		{nil, 1000, 0}, // each is new
		{[]uint64{1}, 0, 0},
		{[]uint64{1}, 500, 0},
		{[]uint64{1}, 512, 500},    // the begin of the same block
		{[]uint64{1, 2}, 600, 512}, // and one more
		{[]uint64{2, 1}, 600, 0},
		{[]uint64{1, 2, 3}, 600, 600}, // a hash beyond the end
		{[]uint64{1, 2, 3}, 2000, 600},
	} {
		assert.Equal(t, tt.want, s.Add(tt.hashes, 512, tt.tokens), i)
	}
}

func BenchmarkBlocks(b *testing.B) {
	set, hashes := fromIDs(b, 500, 1).Set(), []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	b.ReportAllocs()
	for b.Loop() {
		set.Blocks(hashes, 512, 4000)
	}
}
