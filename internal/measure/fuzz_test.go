package measure

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzLimits reads any text as the flag -limits: what is taken is what is shown.
func FuzzLimits(f *testing.F) {
	f.Add("errors=1,turnaround=0.05")
	f.Add("errors=NaN")
	f.Add("errors=inf")
	f.Add("errors=1e400,errors=-0,=,")
	f.Fuzz(func(t *testing.T, text string) {
		var l Limits
		if err := l.Set(text); err != nil {
			assert.NotContains(t, err.Error(), "\n")
			assert.Empty(t, l.String(), "a refused text changes nothing")
			return
		}
		var again Limits
		require.NoError(t, again.Set(l.String()))
		assert.Equal(t, l, again)
		for _, d := range limits {
			assert.GreaterOrEqual(t, l.of(d.name), 0.0, d.name)
		}
		assert.GreaterOrEqual(t, l.MaxErrors(), 0)
	})
}
