package vllmsim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzGeneration feeds arbitrary bodies to both endpoints: each is refused with
// a status of its own, or gives a request that the scheduler can hold.
func FuzzGeneration(f *testing.F) {
	for _, c := range goldenCases() {
		if len(c.body) < 1000 {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`{"prompt":[1e3,2.5,"x",null,[1]],"stream_options":[],"n":-1}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"text":"a"},3,null]}],"min_tokens":1e400}`))
	resolved, err := tiny().resolve()
	require.NoError(f, err)
	s := &Server{settings: resolved}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, prompt := range []func(*fields) ([]int32, *apiError){s.completionPrompt, s.chatPrompt} {
			g, refused := s.parseGeneration(body, defaultMaxTokens, prompt)
			if refused != nil {
				require.Contains(t, []int{400, 404}, refused.Code)
				require.NotEmpty(t, refused.Message)
				continue
			}
			require.NotEmpty(t, g.prompt)
			require.Positive(t, g.maxTokens)
			require.LessOrEqual(t, len(g.prompt)+g.maxTokens, s.MaxModelLen)
			require.False(t, g.continuousUsage && !g.includeUsage)
			for _, id := range g.prompt {
				require.True(t, id >= 0 && int(id) < s.model.Vocab)
			}
		}
	})
}
