package prompt

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachTurnHoldsAllThatWasSaid(t *testing.T) {
	s := fromIDs(t, 300, 1)
	c, err := s.Conversation()
	require.NoError(t, err)
	said := []int{}
	for turn := range 5 {
		p := c.Turn(20)
		require.Len(t, p.IDs, len(said)+20)
		assert.Equal(t, len(p.IDs), p.Tokens)
		assert.NotEmpty(t, p.Salt)
		assert.Equal(t, said, p.IDs[:len(said)])
		answer := []int{turn, 7, 7}
		c.Answer(answer)
		said = slices.Concat(p.IDs, answer)
		assert.Equal(t, len(said), c.Said())
		p.IDs[0] = -1 // the prompt is the caller's
	}
	c.Forget()
	assert.Zero(t, c.Said())
	again := c.Turn(20)
	assert.Len(t, again.IDs, 20)
	assert.NotEqual(t, said[:20], again.IDs)
}

func TestConversationsHaveNothingInCommon(t *testing.T) {
	s := fromIDs(t, 300, 1)
	seen := map[int]bool{}
	for range 300 {
		c, err := s.Conversation()
		require.NoError(t, err)
		seen[c.Turn(20).IDs[0]] = true
	}
	assert.Len(t, seen, 300)
}

func TestConversationsNeedIDs(t *testing.T) {
	s, err := FromText(fstest.MapFS{"a.txt": {Data: []byte("body")}}, [16]byte{1})
	require.NoError(t, err)
	_, err = s.Conversation()
	assert.ErrorContains(t, err, "conversations need prompts of token ids")
}
