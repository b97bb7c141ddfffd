package prompt

import (
	"strings"
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

func TestSharedPromptsHaveJustThatInCommon(t *testing.T) {
	s := fromIDs(t, 300, 1)
	for _, shared := range []int{0, 1, 500, 999} {
		g := s.Shared(shared)
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
	a, b, other := s.Shared(100).Next(200), s.Shared(100).Next(200), fromIDs(t, 300, 2).Shared(100).Next(200)
	assert.Less(t, common(a.IDs, b.IDs), 16)
	assert.Less(t, common(a.IDs, other.IDs), 16)
	assert.Less(t, common(a.IDs, s.Next(200).IDs), 16)
}

func TestSharedPromptsAreTheCallers(t *testing.T) {
	g := fromIDs(t, 300, 1).Shared(10)
	a, b := g.Next(20), g.Next(20)
	a.IDs[0], a.IDs[15] = -1, -1
	assert.NotContains(t, b.IDs, -1)
	assert.NotContains(t, g.Next(20).IDs, -1)
	assert.Len(t, g.Next(10).IDs, 11, "at least one token is new")
}

func TestSharedIsSafeForConcurrentUse(t *testing.T) {
	g := fromIDs(t, 300, 1).Shared(50)
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

func TestSharedText(t *testing.T) {
	s, err := FromText(fstest.MapFS{"a.txt": {Data: []byte(strings.Repeat("body ", 500))}}, [16]byte{1})
	require.NoError(t, err)
	g := s.Shared(100)
	a, b := g.Next(200).Text, g.Next(200).Text
	n := 0
	for a[n] == b[n] {
		n++
	}
	assert.InDelta(t, 100*bytesPerToken, n, 10)
	assert.InDelta(t, 200*bytesPerToken, len(a), 10)
	none := s.Shared(0)
	assert.NotEqual(t, none.Next(50).Text[:10], none.Next(50).Text[:10])
}
