package prompt

import (
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// common is the number of tokens that two prompts begin alike with.
func common(a, b []int) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// sharing returns prompts of ids that begin alike.
func sharing(t *testing.T, s *Source, tokens int) *Shared {
	t.Helper()
	g, err := s.Shared(tokens)
	require.NoError(t, err)
	return g
}

func TestSharedPromptsHaveJustThatInCommon(t *testing.T) {
	s := fromIDs(t, 300, 1)
	for _, shared := range []int{0, 1, 500, 999} {
		g := sharing(t, s, shared)
		first := g.Next(1000)
		for range 299 { // once round the vocabulary
			p := g.Next(1000)
			assert.Len(t, p.IDs, 1000)
			assert.Equal(t, 1000, p.Tokens)
			assert.Equal(t, first.Salt, p.Salt)
			require.Equal(t, shared, common(first.IDs, p.IDs))
		}
	}
}

func TestSharedPartIsNewEachTime(t *testing.T) {
	s := fromIDs(t, 300, 1)
	a, b, other := sharing(t, s, 100).Next(200), sharing(t, s, 100).Next(200), sharing(t, fromIDs(t, 300, 2), 100).Next(200)
	assert.Less(t, common(a.IDs, b.IDs), 16)
	assert.Less(t, common(a.IDs, other.IDs), 16)
	assert.Less(t, common(a.IDs, s.Next(200).IDs), 16)
}

func TestSharedPromptsAreTheCallers(t *testing.T) {
	g := sharing(t, fromIDs(t, 300, 1), 10)
	a, b := g.Next(20), g.Next(20)
	a.IDs[0], a.IDs[15] = -1, -1
	assert.NotContains(t, b.IDs, -1)
	assert.NotContains(t, g.Next(20).IDs, -1)
	assert.Len(t, g.Next(10).IDs, 11, "at least one token is new")
}

func TestSharedIsSafeForConcurrentUse(t *testing.T) {
	g := sharing(t, fromIDs(t, 300, 1), 50)
	want := g.Next(60).IDs[:50]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				assert.Equal(t, want, g.Next(60).IDs[:50])
			}
		})
	}
	wg.Wait()
}

func TestSharedPrefixesNeedIDs(t *testing.T) {
	s, err := FromText(fstest.MapFS{"a.txt": {Data: []byte("body")}}, [16]byte{1})
	require.NoError(t, err)
	_, err = s.Shared(100)
	assert.ErrorContains(t, err, "shared prefixes need prompts of token ids")
}
