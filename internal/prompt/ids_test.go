package prompt

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vocab returns n ids from 1000 on.
func vocab(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = 1000 + i
	}
	return ids
}

func fromIDs(t testing.TB, n int, nonce byte) *Source {
	t.Helper()
	s, err := FromIDs(vocab(n), [16]byte{nonce})
	require.NoError(t, err)
	return s
}

func TestIDsHaveTheExactLengthAndComeFromTheVocabulary(t *testing.T) {
	s := fromIDs(t, 300, 1)
	for _, tokens := range []int{1, 2, 15, 16, 17, 127, 128, 129, 4096} {
		p := s.Next(tokens)
		assert.Len(t, p.IDs, tokens)
		assert.Equal(t, tokens, p.Tokens)
		assert.Empty(t, p.Text)
		assert.GreaterOrEqual(t, slices.Min(p.IDs), 1000)
		assert.Less(t, slices.Max(p.IDs), 1300)
	}
}

// One block of vLLM's prefix cache is 16 tokens or more: no two prompts may
// share one, whether of one run or of two.
func TestNoTwoPromptsShareTheirFirstBlock(t *testing.T) {
	seen := map[[16]int]bool{}
	const each = 100_000
	for nonce := range byte(2) {
		s := fromIDs(t, minIDs, nonce)
		for range each {
			seen[[16]int(s.Next(16).IDs)] = true
		}
	}
	assert.Len(t, seen, 2*each)
}

func TestPromptsInARowDifferFromTheFirstTokenOn(t *testing.T) {
	s := fromIDs(t, 100, 1)
	for range 3 { // three times round the vocabulary
		first := map[int]bool{}
		for range 100 {
			first[s.Next(4).IDs[0]] = true
		}
		assert.Len(t, first, 100)
	}
}

func TestNonceDecidesTheContent(t *testing.T) {
	a, again, other := fromIDs(t, 300, 1), fromIDs(t, 300, 1), fromIDs(t, 300, 2)
	for range 10 {
		p := a.Next(50)
		assert.Equal(t, p, again.Next(50))
		o := other.Next(50)
		assert.NotEqual(t, p.IDs, o.IDs)
		assert.NotEqual(t, p.Salt, o.Salt)
		assert.Len(t, p.Salt, 32) // vLLM takes 1 to 1024 characters
	}
}

func TestNextIsSafeForConcurrentUse(t *testing.T) {
	const workers, each = 8, 2000
	s := fromIDs(t, 300, 1)
	got := make([][][16]int, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				got[w] = append(got[w], [16]int(s.Next(16).IDs))
			}
		})
	}
	wg.Wait()
	seen := map[[16]int]bool{}
	for _, p := range slices.Concat(got...) {
		seen[p] = true
	}
	assert.Len(t, seen, workers*each)
}

func TestFromIDsRefusesAPoorVocabulary(t *testing.T) {
	for name, c := range map[string]struct {
		ids  []int
		says string
	}{
		"none":      {nil, "gives 0 different ids"},
		"too few":   {vocab(minIDs - 1), "gives 63 different ids"},
		"repeating": {slices.Repeat(vocab(10), 20), "gives 10 different ids"},
		"negative":  {append(vocab(100), -1), "gives the id -1"},
	} {
		_, err := FromIDs(c.ids, [16]byte{})
		assert.ErrorContains(t, err, c.says, name)
	}
}

func TestFromIDsLeavesTheVocabularyAsItIs(t *testing.T) {
	ids := vocab(100)
	_, err := FromIDs(ids, [16]byte{1})
	require.NoError(t, err)
	assert.Equal(t, vocab(100), ids)
}

func BenchmarkNext(b *testing.B) {
	for _, tokens := range []int{16, 1000} {
		b.Run("tokens="+strconv.Itoa(tokens), func(b *testing.B) {
			s := fromIDs(b, 500, 1)
			b.ReportAllocs()
			for b.Loop() {
				s.Next(tokens)
			}
		})
	}
}
